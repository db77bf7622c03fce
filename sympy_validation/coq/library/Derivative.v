(** * The derivative of a term along a curve, and the checker of hand-written gradients

    The variables move along a curve [E t], several at once. [dexpr] gives the derivative of a term with respect to the elements of one of
    them, as a term in which the indices of that element come after all others. [derivative_ok] is the chain rule: it holds wherever [smooth]
    has found the condition of every function among the facts. *)
From Coq Require Import Reals QArith Qreals ZArith List Bool Lra Lia.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums Terms Facts Polynomials Normal.
Import ListNotations.
Open Scope R_scope.

(** Sums and products without summands and factors that are 0. *)
Definition is0 (e : expr) := match e with Cst q => Qeq_bool q 0 | _ => false end.
Definition add0 a b := if is0 a then b else if is0 b then a else Add a b.
Definition mul0 a b := if is0 a || is0 b then Cst 0 else Mul a b.
Definition sum0 s a := if is0 a then Cst 0 else Sum s a.
(** The derivatives of the functions. *)
Definition dfn f (a : expr) : expr := match f with
  | FInv => Mul (Cst (-1)) (Mul (Fn FInv a) (Fn FInv a))
  | FExp => Fn FExp a | FLn => Fn FInv a
  | FSqrt => Mul (Cst (1 # 2)) (Fn FInv (Fn FSqrt a))
  | FInd => Cst 0
  | FAtan => Fn FInv (Add (Cst 1) (Mul a a))
  | FPhi => Fn Fphi a | Fphi => Mul (Cst (-1)) (Mul a (Fn Fphi a))
  | FU k o => Fn (FU k (S o)) a end.
Definition iscoped d i := match i with IC _ => true | IV n => Nat.ltb n d end.
Fixpoint scoped d e := match e with
  | Cst _ | Siz _ => true | V _ l => forallb (iscoped d) l | Delta i j => iscoped d i && iscoped d j
  | Add a b | Mul a b => scoped d a && scoped d b | Fn _ a => scoped d a | Sum _ a | Max _ a => scoped (S d) a end.

Section Derivative.
Variables (sg : nat -> nat) (fe : nat -> nat -> R -> R).
Variable E : R -> nat -> list nat -> R.
Notation ev t := (eval sg fe (E t)).
Notation ssz := (ssz sg).
Notation valid := (valid sg).
Hypothesis sg_pos : forall n, (0 < sg n)%nat.

(** Facts that hold at the time 0. *)
Variable F : list fact.
Hypothesis F_ok : all_hold sg fe (E 0) F.

(** The variables with respect to which is differentiated: the number of each, the sizes of its indices, and the velocity of its elements.
    Σ f is the rate of what has the derivative f v p with respect to the element p of the variable v. *)
Definition variable := (nat * list sz * (list nat -> R))%type.
Definition part (f : nat -> list nat -> R) (x : variable) : R := let '(v, P, dv) := x in bsums (map ssz P) (fun p => f v p * dv p).
Definition rate (vs : list variable) (f : nat -> list nat -> R) : R := fold_right (fun x s => part f x + s) 0 vs.
Variable vs : list variable.
Notation Σ := (rate vs).
Lemma part_ext f g x : (forall v p, f v p = g v p) -> part f x = part g x.
Proof. destruct x as [[v P] dv]. intros H. apply bsums_ext. intros. now rewrite H. Qed.
Lemma Σ_ext f g : (forall v p, f v p = g v p) -> Σ f = Σ g.
Proof. intros H. induction vs as [|x l IH]; simpl; auto. now rewrite IH, (part_ext f g x H). Qed.
Lemma Σ_plus f g : Σ (fun v p => f v p + g v p) = Σ f + Σ g.
Proof.
  induction vs as [|[[v P] dv] l IH]; simpl; [ring|]. rewrite IH, (bsums_ext _ _ (fun p => f v p * dv p + g v p * dv p)) by (intros; ring).
  rewrite bsums_plus. ring.
Qed.
Lemma Σ_scal c f : Σ (fun v p => c * f v p) = c * Σ f.
Proof.
  induction vs as [|[[v P] dv] l IH]; simpl; [ring|]. rewrite IH, (bsums_ext _ _ (fun p => c * (f v p * dv p))) by (intros; ring).
  rewrite bsums_scal. ring.
Qed.
Lemma Σ_zero f : (forall v p, f v p = 0) -> Σ f = 0.
Proof. intros H. rewrite (Σ_ext f (fun v p => 0 * f v p)), Σ_scal by (intros; rewrite H; ring). ring. Qed.
Lemma bsum_Σ n f : bsum n (fun k => Σ (f k)) = Σ (fun v p => bsum n (fun k => f k v p)).
Proof. induction n; cbn [bsum]; [now rewrite Σ_zero|]. now rewrite IHn, <- Σ_plus. Qed.
Lemma bsums_Σ P : forall f, bsums P (fun q => Σ (f q)) = Σ (fun v p => bsums P (fun q => f q v p)).
Proof. induction P as [|n P IH]; intros f; cbn [bsums]; auto. rewrite <- bsum_Σ. apply bsum_ext. intros k _. apply IH. Qed.

(** [dvars v w d l] is the derivative of the element [l] of the variable [w] with respect to [v] where [d] indices are bound; [okvar] says
    when that is known; a variable that is not [moving] is constant. *)
Variable moving : nat -> bool.
Variable dvars : nat -> nat -> nat -> list idx -> expr.
Variable okvar : list sz -> nat -> list idx -> bool.
Hypothesis var_ok : forall w l c r, valid c r -> okvar c w l = true -> is_derive (fun t => E t w (map (iv r) l)) 0
  (Σ (fun v p => ev 0 (r ++ p) (dvars v w (length r) l))).
Hypothesis constant_ok : forall w, moving w = false -> forall t l, E t w l = E 0 w l.

Fixpoint depends (e : expr) : bool := match e with
  | Cst _ | Siz _ | Delta _ _ => false | V w _ => moving w | Add a b | Mul a b => depends a || depends b
  | Fn _ a | Sum _ a | Max _ a => depends a end.
Fixpoint dexpr (dvar : nat -> nat -> list idx -> expr) d (e : expr) : expr := if depends e then match e with
  | Cst _ | Siz _ | Delta _ _ | Max _ _ => Cst 0
  | V w l => dvar w d l
  | Add a b => add0 (dexpr dvar d a) (dexpr dvar d b)
  | Mul a b => add0 (mul0 (dexpr dvar d a) b) (mul0 a (dexpr dvar d b))
  | Fn f a => mul0 (dfn f a) (dexpr dvar d a)
  | Sum s a => sum0 s (dexpr dvar (S d) a) end else Cst 0.
Definition condition c f a := match f with
  | FInv => nz F c a | FInd => known F NonZero c a | FLn | FSqrt => pos F c a | FU k o => known F (Smooth k o) c a | _ => true end.
Fixpoint smooth c (e : expr) : bool := if depends e then match e with
  | Cst _ | Siz _ | Delta _ _ => true | Max _ _ => false
  | V w l => okvar c w l
  | Add a b | Mul a b => smooth c a && smooth c b
  | Fn f a => smooth c a && condition c f a
  | Sum s a => smooth (s :: c) a end else true.

Lemma is0_ok t r e : is0 e = true -> ev t r e = 0.
Proof. destruct e; try discriminate. intros H. exact (q0 q H). Qed.
Lemma add0_ok t r a b : ev t r (add0 a b) = ev t r a + ev t r b.
Proof. unfold add0. destruct (is0 a) eqn:A; [rewrite (is0_ok t r a A); ring|]. destruct (is0 b) eqn:B; [rewrite (is0_ok t r b B); ring|reflexivity]. Qed.
Lemma mul0_ok t r a b : ev t r (mul0 a b) = ev t r a * ev t r b.
Proof.
  unfold mul0. destruct (is0 a) eqn:A; [|destruct (is0 b) eqn:B; [|reflexivity]]; cbn [orb eval].
  - rewrite (is0_ok t r a A), Q2R0. ring.
  - rewrite (is0_ok t r b B), Q2R0. ring.
Qed.
Lemma sum0_ok t r s a : ev t r (sum0 s a) = bsum (ssz s) (fun k => ev t (k :: r) a).
Proof.
  unfold sum0. destruct (is0 a) eqn:A; [|reflexivity]. cbn [eval]. rewrite Q2R0, (bsum_ext _ _ (fun _ => 0)); [now rewrite bsum_zero|].
  intros. now apply is0_ok.
Qed.
Lemma depends_ok t e : depends e = false -> forall r, ev t r e = ev 0 r e.
Proof.
  induction e; cbn [depends eval]; intros H r; try apply orb_false_elim in H as [? ?]; auto.
  - now rewrite IHe1, IHe2.
  - now rewrite IHe1, IHe2.
  - now rewrite IHe.
  - apply bsum_ext; auto.
  - apply rmax_ext; auto.
Qed.
(** More indices do not matter to a term that does not use them. *)
Lemma scoped_ok t e : forall r p, scoped (length r) e = true -> ev t (r ++ p) e = ev t r e.
Proof.
  assert (I : forall r p i, iscoped (length r) i = true -> iv (r ++ p) i = iv r i).
  { intros r p [k|n]; auto. cbn. intros H. apply Nat.ltb_lt in H. now rewrite app_nth1. }
  induction e; intros r p H; cbn [scoped eval] in *; try apply andb_prop in H as [H1 H2]; auto.
  - f_equal. apply map_ext_in. intros i J. apply I. rewrite forallb_forall in H. auto.
  - now rewrite !I.
  - now rewrite IHe1, IHe2.
  - now rewrite IHe1, IHe2.
  - now rewrite IHe.
  - apply bsum_ext. intros k _. apply (IHe (k :: r)). exact H.
  - apply rmax_ext. intros k _. apply (IHe (k :: r)). exact H.
Qed.
Definition smooth_at f (x : R) : Prop := match f with
  | FInv | FInd => x <> 0 | FLn | FSqrt => 0 < x | FU k o => is_derive (fe k o) x (fe k (S o) x) | _ => True end.
Lemma condition_ok c r f a : valid c r -> condition c f a = true -> smooth_at f (ev 0 r a).
Proof.
  intros Vr. destruct f; cbn [condition smooth_at]; intros H; auto.
  - now apply (nz_ok sg fe (E 0) sg_pos F F_ok c).
  - now apply (pos_ok sg fe (E 0) sg_pos F F_ok c).
  - now apply (pos_ok sg fe (E 0) sg_pos F F_ok c).
  - exact (known_ok sg fe (E 0) sg_pos F F_ok NonZero c r a Vr H).
  - exact (known_ok sg fe (E 0) sg_pos F F_ok (Smooth k o) c r a Vr H).
Qed.
Lemma dfn_ok f a r : smooth_at f (ev 0 r a) -> is_derive (fnR fe f) (ev 0 r a) (ev 0 r (dfn f a)).
Proof.
  set (x := ev 0 r a). intros H. assert (Q2 : Q2R (1 # 2) = / 2) by (unfold Q2R; simpl; lra).
  destruct f; cbn [fnR dfn smooth_at] in *; cbn [eval fnR]; fold x; rewrite ?Q2Rm1, ?Q2R1, ?Q2R0, ?Q2.
  - auto_derive; auto. simpl. field. auto.
  - apply is_derive_exp.
  - now apply is_derive_ln.
  - auto_derive; auto. field. generalize (sqrt_lt_R0 x H). lra.
  - now apply dind.
  - replace (/ (1 + x * x)) with (/ (1 + x ^ 2)) by (f_equal; ring). auto_derive; auto. simpl. field. nra.
  - apply dPhi.
  - replace (-1 * (x * phi x)) with (- x * phi x) by ring. apply dphi.
  - exact H.
Qed.
Notation d v := (dexpr (dvars v)).
Lemma dexpr_constant dvar n e : depends e = false -> dexpr dvar n e = Cst 0.
Proof. destruct e; cbn [dexpr]; intros H; rewrite ?H; auto; destruct (depends _); auto. Qed.
Lemma derivative_ok e : forall c r, valid c r -> scoped (length c) e = true -> smooth c e = true ->
  is_derive (fun t => ev t r e) 0 (Σ (fun v p => ev 0 (r ++ p) (d v (length r) e))).
Proof.
  assert (C : forall a r, depends a = false -> is_derive (fun t => ev t r a) 0 (Σ (fun v p => ev 0 (r ++ p) (d v (length r) a)))).
  { intros a r D. rewrite Σ_zero by (intros; rewrite dexpr_constant by auto; apply Q2R0).
    apply (dext (fun _ => ev 0 r a)); [|apply dconst]. intros t. symmetry. now apply depends_ok. }
  induction e; intros c r Vr Sc K; (match goal with |- context [dexpr _ (length r) ?x] => destruct (depends x) eqn:D; [|exact (C _ r D)] end);
    cbn [dexpr smooth scoped] in *; try discriminate; rewrite ?D in K |- *; try discriminate.
  - now apply (var_ok v l c).
  - apply andb_prop in Sc as [S1 S2]. apply andb_prop in K as [K1 K2]. cbn [eval].
    rewrite (Σ_ext _ (fun v p => ev 0 (r ++ p) (d v (length r) e1) + ev 0 (r ++ p) (d v (length r) e2))) by (intros; apply add0_ok).
    rewrite Σ_plus. apply dplus; eauto.
  - apply andb_prop in Sc as [S1 S2]. apply andb_prop in K as [K1 K2]. cbn [eval].
    rewrite (Σ_ext _ (fun v p => ev 0 r e2 * ev 0 (r ++ p) (d v (length r) e1) + ev 0 r e1 * ev 0 (r ++ p) (d v (length r) e2))).
    2: { intros. rewrite add0_ok, !mul0_ok, (scoped_ok 0 e1), (scoped_ok 0 e2) by (rewrite (valid_length sg c r Vr); auto). ring. }
    rewrite Σ_plus, !Σ_scal, (Rmult_comm (ev 0 r e2)). apply dmult; eauto.
  - apply andb_prop in K as [K1 K2]. cbn [eval]. apply (condition_ok c r f e Vr) in K2. apply dfn_ok in K2.
    rewrite (Σ_ext _ (fun v p => ev 0 r (dfn f e) * ev 0 (r ++ p) (d v (length r) e))).
    2: { intros. rewrite mul0_ok, (scoped_ok 0 (dfn f e)); [ring|]. rewrite (valid_length sg c r Vr).
         destruct f; cbn [dfn scoped forallb]; rewrite ?Sc; reflexivity. }
    rewrite Σ_scal. apply (dcomp (fnR fe f) (fun t => ev t r e)); eauto.
  - cbn [eval]. rewrite (Σ_ext _ (fun v p => bsum (ssz s) (fun k => ev 0 ((k :: r) ++ p) (d v (S (length r)) e)))) by (intros; apply sum0_ok).
    rewrite <- bsum_Σ. apply (dbsum _ (fun k t => ev t (k :: r) e)). intros k Hk. apply (IHe (s :: c) (k :: r)); auto. now constructor.
Qed.
End Derivative.

(** ** More facts from facts: a term that is not 0 has factors that are not 0; facts in normal form, with first coefficient 1 or -1 *)
Section Derived.
Variables (sg : nat -> nat) (fe : nat -> nat -> R -> R) (M : nat -> list nat -> R).
Hypothesis sg_pos : forall n, (0 < sg n)%nat.
Variable F : list fact.
Hypothesis F_ok : all_hold sg fe M F.
Notation eval := (eval sg fe M).
Definition derived (f : fact) : list fact := let '(k, P, e) := f in
  let p := normal F 3 P e in let q := Qred (/ lead p) in match k with
  | NonZero => if Qeq_bool (lead p) 0 then [] else
      (k, P, unp p) :: (k, P, unp (pscale F P q p)) :: (k, P, unp (pscale F P (- q) p))
      :: match p with [(_, l)] => map (fun a => (k, P, a)) l | _ => [] end
  | Positive => (k, P, unp p) :: match Qnum (lead p) with Zpos _ => [(k, P, unp (pscale F P q p))] | _ => [] end
  | One => [(k, P, unp p); (k, P, body (product_of p e))]
  | Smooth _ _ => [] end.
Definition closed := F ++ flat_map derived F.
Lemma foralls_intro P : forall Q : list nat -> Prop, (forall r, valid sg P r -> Q r) -> foralls sg P Q.
Proof. induction P; simpl; intros Q H; [apply H; constructor|]. intros k K. apply IHP. intros r Vr. apply H. now constructor. Qed.
Lemma all_hold_intro G : (forall f, In f G -> holds sg fe M f) -> all_hold sg fe M G.
Proof. induction G; simpl; auto. Qed.
Lemma factor_nz r l : prodv sg fe M r l <> 0 -> forall a, In a l -> eval r a <> 0.
Proof. induction l; simpl; intros H b; [contradiction|]. intros [<-|I] Z; [apply H; rewrite Z; ring|]. apply (IHl) with b; auto. intros Y. apply H. rewrite Y. ring. Qed.
Lemma derived_ok f : In f F -> forall g, In g (derived f) -> holds sg fe M g.
Proof.
  intros I. generalize (all_hold_in sg fe M F f F_ok I). destruct f as [[k P] e]. intros H.
  assert (N : forall r, valid sg P r -> evalp sg fe M r (normal F 3 P e) = eval r e) by (intros; now apply normal_ok).
  assert (G : forall r, valid sg P r -> says fe k (eval r e)) by (intros r Vr; exact (foralls_ok sg P _ r H Vr)).
  unfold derived. cbv zeta. set (p := normal F 3 P e) in *. destruct k; intros [[k' P'] x] J; try contradiction.
  - destruct (Qeq_bool (lead p) 0) eqn:Z; [contradiction|]. destruct (qn0 _ Z) as [Q Q'].
    assert (A : forall q, Q2R q <> 0 -> forall r, valid sg P r -> eval r (unp (pscale F P q p)) <> 0).
    { intros q Hq r Vr. rewrite unp_ok, (pscale_ok sg fe M sg_pos F F_ok P r Vr), N by auto.
      apply Rmult_integral_contrapositive. split; auto. exact (G r Vr). }
    assert (B : Q2R (Qred (/ lead p)) <> 0) by (rewrite Q; now apply Rinv_neq_0_compat).
    destruct J as [[= <- <- <-]|[[= <- <- <-]|[[= <- <- <-]|J]]].
    + apply foralls_intro. intros r Vr. simpl. rewrite unp_ok, N by auto. exact (G r Vr).
    + apply foralls_intro. intros r Vr. now apply A.
    + apply foralls_intro. intros r Vr. apply A; auto. rewrite Q2R_opp. now apply Ropp_neq_0_compat.
    + destruct p as [|[q l] [|]]; try contradiction. apply in_map_iff in J as (a & [= <- <- <-] & J).
      apply foralls_intro. intros r Vr. simpl. apply (factor_nz r l); auto. intros Y. apply (G r Vr). rewrite <- N by auto.
      cbn [evalp]. unfold evalm; cbn [fst snd]. rewrite Y. ring.
  - destruct J as [[= <- <- <-]|J].
    + apply foralls_intro. intros r Vr. simpl. rewrite unp_ok, N by auto. exact (G r Vr).
    + destruct (Qnum (lead p)) eqn:Z; try contradiction. destruct J as [[= <- <- <-]|[]]. apply foralls_intro. intros r Vr. simpl.
      rewrite unp_ok, (pscale_ok sg fe M sg_pos F F_ok P r Vr), N by auto. apply Rmult_lt_0_compat; [eapply qpos_inv; eauto|exact (G r Vr)].
  - destruct J as [[= <- <- <-]|[[= <- <- <-]|[]]]; apply foralls_intro; intros r Vr; simpl.
    + rewrite unp_ok, N by auto. exact (G r Vr).
    + rewrite body_ok, (product_of_ok sg fe M) by (apply N; auto). exact (G r Vr).
Qed.
Lemma closed_ok : all_hold sg fe M closed.
Proof.
  apply all_hold_app; auto. apply all_hold_intro. intros g J. apply in_flat_map in J as (f & I & J). now apply (derived_ok f).
Qed.
End Derived.
