(** * The normal form: sums, functions and equality of terms

    [norm] brings a term into normal form; [same] compares two terms by the normal form of their difference, multiplied by its denominators.
    [same_ok] is the theorem on which everything rests: terms that [same] accepts are equal, wherever the facts hold. *)
From Coq Require Import Reals QArith Qreals ZArith List Bool Lra Lia.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums Terms Facts Polynomials.
Import ListNotations.
Open Scope R_scope.

Section Normal.
Variables (sg : nat -> nat) (fe : nat -> nat -> R -> R) (M : nat -> list nat -> R).
Notation eval := (eval sg fe M).
Notation ssz := (ssz sg).
Notation valid := (valid sg).
Notation evalp := (evalp sg fe M).
Notation evalm := (evalm sg fe M).
Notation prodv := (prodv sg fe M).
Hypothesis sg_pos : forall n, (0 < sg n)%nat.
Variable F : list fact.
Hypothesis F_ok : all_hold sg fe M F.
Notation lin := (lin F).
Notation pmul := (pmul F).
Notation pscale := (pscale F).
Notation insl := (insl F).
Notation insa := (insa F).
Let lin_ok := lin_ok sg fe M sg_pos F F_ok.
Let pmul_ok := pmul_ok sg fe M sg_pos F F_ok.
Let pscale_ok := pscale_ok sg fe M sg_pos F F_ok.
Let insl_ok := insl_ok sg fe M sg_pos F F_ok.
Let insa_ok := insa_ok sg fe M sg_pos F F_ok.
Let padd_ok := padd_ok sg fe M.
Let pa_ok := pa_ok sg fe M.
Let pc_ok := pc_ok sg fe M.
Let unp_ok := unp_ok sg fe M.
Let body_ok := body_ok sg fe M.

(** ** Which indices occur *)
Definition iocc d i := match i with IC _ => false | IV n => Nat.eqb n d end.
Fixpoint occ d (e : expr) : bool := match e with
  | Cst _ | Siz _ => false | V _ l => existsb (iocc d) l | Delta i j => iocc d i || iocc d j
  | Add a b | Mul a b => occ d a || occ d b | Fn _ a => occ d a | Sum _ a | Max _ a => occ (S d) a end.
Lemma iocc_ok d i r1 r2 k q : iocc d i = false -> length r1 = d -> iv (r1 ++ k :: r2) i = iv (r1 ++ q :: r2) i.
Proof.
  destruct i as [m|n]; cbn [iocc iv]; auto. intros H L. apply Nat.eqb_neq in H. destruct (Nat.lt_ge_cases n d).
  - rewrite !app_nth1 by lia. reflexivity.
  - rewrite !app_nth2 by lia. replace (n - length r1)%nat with (S (n - length r1 - 1)) by lia. reflexivity.
Qed.
Lemma occ_ok e : forall d r1 r2 k q, occ d e = false -> length r1 = d -> eval (r1 ++ k :: r2) e = eval (r1 ++ q :: r2) e.
Proof.
  induction e; intros d r1 r2 x y H L; cbn [occ Terms.eval] in *; try apply orb_false_elim in H as [H1 H2]; auto.
  - f_equal. apply map_ext_in. intros i I. apply (iocc_ok d); auto. destruct (iocc d i) eqn:E; auto.
    assert (existsb (iocc d) l = true) by (apply existsb_exists; eauto). congruence.
  - now rewrite (iocc_ok d i r1 r2 x y), (iocc_ok d j r1 r2 x y).
  - rewrite (IHe1 d r1 r2 x y), (IHe2 d r1 r2 x y); auto.
  - rewrite (IHe1 d r1 r2 x y), (IHe2 d r1 r2 x y); auto.
  - rewrite (IHe d r1 r2 x y); auto.
  - apply bsum_ext. intros k _. apply (IHe (S d) (k :: r1)); simpl; auto.
  - apply rmax_ext. intros k _. apply (IHe (S d) (k :: r1)); simpl; auto.
Qed.
(** A term without the index 0 does not need it; [up] gives it one that it does not use. *)
Definition drop (a : expr) := ren [IC 0] 0 a.
Definition up (a : expr) := ren [] 1 a.
Lemma drop_ok a k r : occ 0 a = false -> eval (k :: r) a = eval r (drop a).
Proof. intros H. unfold drop. rewrite ren_ok. simpl. exact (occ_ok a 0 [] r k O H eq_refl). Qed.
Lemma up_ok a k r : eval (k :: r) (up a) = eval r a.
Proof. unfold up. now rewrite ren_ok. Qed.

(** ** Sums of one monomial *)
Fixpoint split (l : list expr) : list expr * list expr := match l with
  | [] => ([], [])
  | a :: l => let (x, y) := split l in if occ 0 a then (x, a :: y) else (drop a :: x, y) end.
Lemma split_ok l : forall x y, split l = (x, y) -> forall k r, prodv (k :: r) l = prodv r x * prodv (k :: r) y.
Proof.
  induction l as [|a l IH]; simpl; intros x y H k r; [injection H as <- <-; simpl; ring|].
  destruct (split l) as [u v]. specialize (IH u v eq_refl k r).
  destruct (occ 0 a) eqn:E; injection H as <- <-; simpl; rewrite IH; [ring|]. rewrite (drop_ok a k r E). ring.
Qed.
(** A delta at the index that is summed takes the other index in its place. *)
Definition other c s i j := match i, j with
  | IV O, IC k => if inb c (IC k) s then Some (IC k) else None
  | IV O, IV (S n) => if inb c (IV n) s then Some (IV n) else None
  | _, _ => None end.
Definition delta_at c s a := match a with
  | Delta i j => match other c s i j with Some k => Some k | None => other c s j i end | _ => None end.
Fixpoint find_delta c s (l : list expr) : option (idx * list expr) := match l with
  | [] => None
  | a :: l => match delta_at c s a with Some i => Some (i, l) | None =>
      match find_delta c s l with Some (i, k) => Some (i, a :: k) | None => None end end end.
Lemma other_ok c r s i j m k : valid c r -> other c s i j = Some m ->
  (iv r m < ssz s)%nat /\ (if Nat.eqb (iv (k :: r) i) (iv (k :: r) j) then 1 else 0) = (if Nat.eqb k (iv r m) then 1 else 0).
Proof.
  intros Vr H. unfold other in H. destruct i as [|[|n]]; try discriminate. destruct j as [q|[|q]]; try discriminate.
  - destruct (inb c (IC q) s) eqn:E; [|discriminate]. injection H as <-. split; auto. exact (inb_ok sg sg_pos c r (IC q) s Vr E).
  - destruct (inb c (IV q) s) eqn:E; [|discriminate]. injection H as <-. split; auto. exact (inb_ok sg sg_pos c r (IV q) s Vr E).
Qed.
Lemma delta_at_ok c r s a m k : valid c r -> delta_at c s a = Some m ->
  (iv r m < ssz s)%nat /\ eval (k :: r) a = (if Nat.eqb k (iv r m) then 1 else 0).
Proof.
  intros Vr. unfold delta_at. destruct a; try discriminate. cbn [Terms.eval].
  destruct (other c s i j) eqn:E; [intros [= <-]; now apply (other_ok c r s i j)|]. intros H.
  rewrite Nat.eqb_sym. now apply (other_ok c r s j i).
Qed.
Lemma find_delta_ok c r s l : valid c r -> forall i m, find_delta c s l = Some (i, m) ->
  (iv r i < ssz s)%nat /\ forall k, prodv (k :: r) l = (if Nat.eqb k (iv r i) then 1 else 0) * prodv (k :: r) m.
Proof.
  intros Vr. induction l as [|a l IH]; simpl; intros i m H; [discriminate|].
  destruct (delta_at c s a) eqn:E.
  - injection H as <- <-. split; [now apply (delta_at_ok c r s a i0 O)|]. intros k. now rewrite (proj2 (delta_at_ok c r s a i0 k Vr E)).
  - destruct (find_delta c s l) as [[i' m']|]; [|discriminate]. injection H as <- <-. destruct (IH _ _ eq_refl) as [A B]. split; auto.
    intros k. rewrite B. simpl. ring.
Qed.
(** Nested sums: all factors go to the innermost, and of two orders the lesser is taken. *)
Fixpoint mksum (fuel : nat) c (s : sz) (e : expr) : expr := match fuel, e with
  | S f, Sum s' b =>
    let b' := let x := ren [IV 1; IV 0] 2 b in body (product_of (lin (s :: s' :: c) x) x) in
    let swapped := Sum s' (mksum f (s' :: c) s b') in
    match scmp s s' with Gt => swapped | Eq => match ecmp b' b with Lt => swapped | _ => Sum s e end | Lt => Sum s e end
  | _, _ => Sum s e end.
Lemma mksum_ok fuel : forall c s e r, valid c r -> eval r (mksum fuel c s e) = bsum (ssz s) (fun k => eval (k :: r) e).
Proof.
  induction fuel as [|f IH]; intros c s e r Vr; [reflexivity|]. destruct e as [| | | | | | |s' b|]; try reflexivity. cbn [mksum]. cbv zeta.
  set (b' := body _).
  assert (A : eval r (Sum s' (mksum f (s' :: c) s b')) = bsum (ssz s) (fun k => eval (k :: r) (Sum s' b))).
  { cbn [Terms.eval]. rewrite bsum_swap. apply bsum_ext. intros q Q. rewrite IH by now constructor. apply bsum_ext. intros k K.
    unfold b'. rewrite body_ok. rewrite (product_of_ok sg fe M); [now rewrite ren_ok|]. apply lin_ok. constructor; [exact K|now constructor]. }
  destruct (scmp s s'); auto. destruct (ecmp b' b); auto.
Qed.
Fixpoint one_sum (l : list expr) : option (list expr * (sz * expr)) := match l with
  | [] => None
  | Sum s b :: k => Some (k, (s, b))
  | a :: k => match one_sum k with Some (o, p) => Some (a :: o, p) | None => None end end.
Lemma one_sum_ok l : forall o s b, one_sum l = Some (o, (s, b)) -> forall r, prodv r l = prodv r o * eval r (Sum s b).
Proof.
  induction l as [|a l IH]; intros o s b H r; [discriminate|].
  assert (A : forall x, match one_sum l with Some (o, p) => Some (x :: o, p) | None => None end = Some (o, (s, b)) ->
    prodv r (x :: l) = prodv r o * eval r (Sum s b)).
  { intros x G. destruct (one_sum l) as [[o' [s' b']]|]; [|discriminate]. injection G as <- <- <-. cbn [Polynomials.prodv].
    rewrite (IH _ _ _ eq_refl r). ring. }
  destruct a; try exact (A _ H). cbn [one_sum] in H. injection H as <- <- <-. cbn [Polynomials.prodv]. ring.
Qed.
Fixpoint merged (fuel : nat) c (l : list expr) : expr := match fuel, one_sum l with
  | S f, Some (o, (s, b)) => mksum 6 c s (merged f (s :: c) (insl (s :: c) (map up o) (product_of (lin (s :: c) b) b)))
  | _, _ => body l end.
Lemma upl_ok r k o : prodv (k :: r) (map up o) = prodv r o.
Proof. induction o as [|a o IH]; [reflexivity|]. cbn [map Polynomials.prodv]. now rewrite IH, up_ok. Qed.
Lemma merged_ok fuel : forall c l r, valid c r -> eval r (merged fuel c l) = prodv r l.
Proof.
  induction fuel as [|f IH]; intros c l r Vr; cbn [merged]; [apply body_ok|].
  destruct (one_sum l) as [[o [s b]]|] eqn:E; [|apply body_ok]. rewrite (one_sum_ok _ _ _ _ E).
  rewrite mksum_ok by auto. cbn [Terms.eval]. rewrite <- bsum_scal_l. apply bsum_ext. intros k K.
  assert (Vk : valid (s :: c) (k :: r)) by now constructor.
  rewrite IH, insl_ok, upl_ok by auto. now rewrite (product_of_ok sg fe M _ _ b (lin_ok b _ _ Vk)).
Qed.

(** ** The rules of functions *)
Definition inva a := match a with Fn FInv b => b | _ => Fn FInv a end.
Lemma inva_ok r a : eval r (inva a) = / eval r a.
Proof. destruct a as [| | | | | |f a| |]; try destruct f; simpl; auto. now rewrite Rinv_inv. Qed.
Lemma invl_ok c r l : valid c r -> prodv r (insl c (map inva l) []) = / prodv r l.
Proof.
  intros Vr. rewrite insl_ok by auto. cbn [Polynomials.prodv]. rewrite Rmult_1_r.
  induction l; simpl; [now rewrite Rinv_1|]. now rewrite IHl, inva_ok, Rinv_mult.
Qed.
Fixpoint find_inv c (l : list expr) : option expr := match l with
  | [] => None | Fn FInv b :: l => if nz F c b then Some b else find_inv c l | _ :: l => find_inv c l end.
Lemma find_inv_nz c l b : find_inv c l = Some b -> nz F c b = true.
Proof.
  induction l as [|a l IH]; simpl; [discriminate|]. destruct a as [| | | | | |f a| |]; auto. destruct f; auto.
  destruct (nz F c a) eqn:E; auto. congruence.
Qed.
Fixpoint find_invp c (p : poly) : option expr := match p with
  | [] => None | m :: p => match find_inv c (snd m) with Some b => Some b | None => find_invp c p end end.
Lemma find_invp_nz c p b : find_invp c p = Some b -> nz F c b = true.
Proof. induction p; simpl; [discriminate|]. destruct (find_inv c (snd a)) eqn:E; auto. intros [= <-]. eapply find_inv_nz; eauto. Qed.

(** 1/p: that of a product is a product; in a sum inner denominators are multiplied out, and the first coefficient is made 1. *)
Definition lead (p : poly) : Q := match p with m :: _ => fst m | [] => 1%Q end.
Definition single (p : poly) : option mono := match p with [m] => Some m | _ => None end.
Lemma single_ok p m : single p = Some m -> p = [m].
Proof. destruct p as [|n [|]]; simpl; congruence. Qed.
Definition pinv0 c (p : poly) : poly :=
  let q := lead p in if Qeq_bool q 0 then pa (Fn FInv (unp p)) else pscale c (Qred (/ q)) (pa (Fn FInv (unp (pscale c (Qred (/ q)) p)))).
Definition minv c (m : mono) : poly :=
  if Qeq_bool (fst m) 0 then pa (Fn FInv (unp [m])) else insm (Qred (/ fst m), insl c (map inva (snd m)) []) [].
Fixpoint pinv (fuel : nat) c (p : poly) : poly := match single p with
  | Some m => minv c m
  | None => match fuel with
    | O => pinv0 c p
    | S fuel => match find_invp c p with Some b => pmul c (pinv fuel c (pmul c (lin c b) p)) (lin c b) | None => pinv0 c p end end end.
Lemma pinv_ok c r : valid c r -> forall fuel p, evalp r (pinv fuel c p) = / evalp r p.
Proof.
  intros Vr.
  assert (A : forall p, evalp r (pinv0 c p) = / evalp r p).
  { intros p. unfold pinv0. cbv zeta. destruct (Qeq_bool (lead p) 0) eqn:E; [rewrite pa_ok; cbn [Terms.eval fnR]; now rewrite unp_ok|].
    rewrite (pscale_ok c r Vr), pa_ok; cbn [Terms.eval fnR]; rewrite unp_ok, (pscale_ok c r Vr).
    apply qn0 in E as [E G]. rewrite E, Rinv_mult, Rinv_inv. rewrite <- Rmult_assoc, Rinv_l; auto. ring. }
  assert (B : forall m, evalp r (minv c m) = / evalp r [m]).
  { intros [q l]. unfold minv; cbn [fst snd]. destruct (Qeq_bool q 0) eqn:E; [rewrite pa_ok; cbn [Terms.eval fnR]; now rewrite unp_ok|].
    apply qn0 in E as [E G]. rewrite insm_ok. cbn [Polynomials.evalp]. unfold Polynomials.evalm; cbn [fst snd].
    rewrite E, (invl_ok c r l Vr), !Rplus_0_r, Rinv_mult. reflexivity. }
  assert (C : forall b p q, nz F c b = true -> evalp r q = / evalp r (pmul c (lin c b) p) -> evalp r (pmul c q (lin c b)) = / evalp r p).
  { intros b p q H E. rewrite (pmul_ok c r Vr), E, (pmul_ok c r Vr), (lin_ok b c r Vr), Rinv_mult.
    rewrite (Rmult_comm (/ eval r b)), Rmult_assoc, Rinv_l by now apply (nz_at sg fe M sg_pos F F_ok c r Vr). ring. }
  induction fuel as [|fuel IH]; intros p; cbn [pinv]; destruct (single p) as [m|] eqn:S;
    try (apply single_ok in S; subst p; apply B); [apply A|].
  destruct (find_invp c p) as [b|] eqn:E; [|apply A]. apply C; [now apply find_invp_nz in E|apply IH].
Qed.

(** e^(p + q) = e^p e^q, and e^(n x) = (e^x)^n for integers n. *)
Definition expm (m : mono) : list expr :=
  let e := Fn FExp (prode (snd m)) in match Qred (fst m) with
  | Zpos n # 1 => repeat e (Pos.to_nat n) | Zneg n # 1 => repeat (Fn FInv e) (Pos.to_nat n) | _ => [Fn FExp (unm m)] end.
Lemma repeat_ok r n a : prodv r (repeat a n) = eval r a ^ n.
Proof. induction n; simpl; auto. now rewrite IHn. Qed.
Lemma exp_nat n x : exp (INR n * x) = exp x ^ n.
Proof. induction n; [simpl; now rewrite Rmult_0_l, exp_0|]. rewrite S_INR, Rmult_plus_distr_r, exp_plus, IHn, Rmult_1_l. simpl. ring. Qed.
Lemma q_nat n : Q2R (Zpos n # 1) = INR (Pos.to_nat n).
Proof. rewrite INR_IZR_INZ, positive_nat_Z. unfold Q2R; cbn [Qnum Qden]. rewrite Rinv_1. ring. Qed.
Lemma expm_ok r m : prodv r (expm m) = exp (evalm r m).
Proof.
  assert (A : prodv r [Fn FExp (unm m)] = exp (evalm r m)) by (cbn [Polynomials.prodv Terms.eval fnR]; rewrite unm_ok; ring).
  unfold expm. generalize (qred (fst m)). destruct (Qred (fst m)) as [[|n|n] [d|d|]]; intros Q; auto; rewrite repeat_ok; cbn [Terms.eval fnR];
    rewrite prode_ok; unfold Polynomials.evalm; rewrite <- Q.
  - rewrite <- exp_nat, q_nat. reflexivity.
  - rewrite <- exp_Ropp, <- exp_nat. f_equal.
    replace (Q2R (Zneg n # 1)) with (- INR (Pos.to_nat n)); [ring|]. rewrite <- q_nat, <- Q2R_opp. reflexivity.
Qed.
Definition pexp c (p : poly) : poly := [(1%Q, fold_right (fun m l => insl c (expm m) l) [] p)].
Lemma pexp_ok c r p : valid c r -> evalp r (pexp c p) = exp (evalp r p).
Proof.
  intros Vr. unfold pexp, Polynomials.evalp at 1, Polynomials.evalm at 1; cbn [fst snd]. rewrite Q2R1.
  induction p as [|m p IH]; cbn [fold_right Polynomials.prodv Polynomials.evalp]; [rewrite exp_0; ring|].
  rewrite (insl_ok c r Vr), expm_ok, exp_plus, <- IH. ring.
Qed.

(** The logarithm of a product of positive factors. *)
Definition lnatom c a : poly := match a with
  | Fn FExp b => lin c b | Fn FInv (Fn FExp b) => pscale c (-1) (lin c b) | Fn FInv b => [((-1)%Q, [Fn FLn b])] | _ => pa (Fn FLn a) end.
Lemma lnatom_ok c r a : valid c r -> pos F c a = true -> evalp r (lnatom c a) = ln (eval r a).
Proof.
  intros Vr H. assert (A : evalp r (pa (Fn FLn a)) = ln (eval r a)) by (rewrite pa_ok; reflexivity).
  apply (pos_at sg fe M sg_pos F F_ok c r Vr) in H.
  destruct a as [| | | | | |f b| |]; auto. destruct f; auto.
  - assert (B : 0 < eval r b). { cbn [Terms.eval fnR] in H. rewrite <- (Rinv_inv (eval r b)). now apply Rinv_0_lt_compat. }
    assert (G : evalp r [((-1)%Q, [Fn FLn b])] = ln (eval r (Fn FInv b))).
    { unfold Polynomials.evalp, Polynomials.evalm; cbn [fst snd Polynomials.prodv Terms.eval fnR]. rewrite Q2Rm1, ln_Rinv by exact B. ring. }
    destruct b as [| | | | | |g b| |]; auto. destruct g; auto.
    cbn [lnatom]. rewrite (pscale_ok c r Vr), (lin_ok b c r Vr), Q2Rm1. cbn [Terms.eval fnR]. rewrite ln_Rinv, ln_exp by apply exp_pos. ring.
  - cbn [lnatom]. rewrite (lin_ok b c r Vr). cbn [Terms.eval fnR]. now rewrite ln_exp.
Qed.
Definition pln c (p : poly) : poly := match p with
  | [(q, l)] => match Qnum q with
    | Zpos _ => if forallb (pos F c) l then
        padd (if Qeq_bool q 1 then [] else pa (Fn FLn (Cst q))) (fold_right (fun a p => padd (lnatom c a) p) [] l) else pa (Fn FLn (unp p))
    | _ => pa (Fn FLn (unp p)) end
  | _ => pa (Fn FLn (unp p)) end.
Lemma prodv_pos c r l : valid c r -> forallb (pos F c) l = true -> 0 < prodv r l.
Proof.
  intros Vr. induction l; simpl; [lra|]. intros H. apply andb_prop in H as [H K]. apply Rmult_lt_0_compat; auto.
  now apply (pos_at sg fe M sg_pos F F_ok c r Vr).
Qed.
Lemma pln_ok c r p : valid c r -> evalp r (pln c p) = ln (evalp r p).
Proof.
  intros Vr. assert (A : evalp r (pa (Fn FLn (unp p))) = ln (evalp r p)) by (rewrite pa_ok; cbn [Terms.eval fnR]; now rewrite unp_ok).
  destruct p as [|[q l] [|m p]]; auto. unfold pln. destruct (Qnum q) eqn:N; auto. destruct (forallb (pos F c) l) eqn:G; auto.
  clear A. rewrite padd_ok. cbn [Polynomials.evalp]. unfold Polynomials.evalm; cbn [fst snd]. rewrite Rplus_0_r.
  assert (B : evalp r (fold_right (fun a p => padd (lnatom c a) p) [] l) = ln (prodv r l)).
  { induction l as [|a l IH]; cbn [fold_right Polynomials.prodv Polynomials.evalp]; [now rewrite ln_1|].
    cbn [forallb] in G. apply andb_prop in G as [G H]. rewrite padd_ok, (lnatom_ok c r a Vr G), IH, ln_mult; auto.
    now apply (pos_at sg fe M sg_pos F F_ok c r Vr). now apply (prodv_pos c). }
  rewrite B, ln_mult; [|eapply qpos; eauto|now apply (prodv_pos c)].
  destruct (Qeq_bool q 1) eqn:E; [rewrite (q1 q E), ln_1|rewrite pa_ok]; reflexivity.
Qed.

(** Factors that are positive and common to all monomials. *)
Fixpoint remove1 (a : expr) (l : list expr) : option (list expr) := match l with
  | [] => None | b :: k => if eeq a b then Some k else match remove1 a k with Some k => Some (b :: k) | None => None end end.
Lemma remove1_ok r a l : forall k, remove1 a l = Some k -> prodv r l = eval r a * prodv r k.
Proof.
  induction l as [|b l IH]; simpl; intros k H; [discriminate|]. destruct (eeq a b) eqn:E.
  - apply eeq_ok in E. congruence.
  - destruct (remove1 a l) as [k'|]; [|discriminate]. injection H as <-. cbn [Polynomials.prodv]. rewrite (IH k' eq_refl). ring.
Qed.
Fixpoint without a (p : poly) : option poly := match p with
  | [] => Some [] | m :: p => match remove1 a (snd m), without a p with Some l, Some p => Some ((fst m, l) :: p) | _, _ => None end end.
Fixpoint scaled c (l : list expr) (p : poly) : poly := match l with
  | [] => p | a :: l => if pos F c a then match without a p with Some q => scaled c l q | None => scaled c l p end else scaled c l p end.
Lemma without_ok r a p : forall q, without a p = Some q -> evalp r p = eval r a * evalp r q.
Proof.
  induction p as [|m p IH]; simpl; intros q H; [injection H as <-; simpl; ring|]. destruct (remove1 a (snd m)) as [l|] eqn:E; [|discriminate].
  destruct (without a p) as [q'|]; [|discriminate]. injection H as <-. cbn [Polynomials.evalp]. rewrite (IH q' eq_refl).
  unfold Polynomials.evalm; cbn [fst snd]. rewrite (remove1_ok r a _ l E). ring.
Qed.
Lemma scaled_ok c r l : valid c r -> forall p, ind (evalp r (scaled c l p)) = ind (evalp r p).
Proof.
  intros Vr. induction l as [|a l IH]; intros p; [reflexivity|]. cbn [scaled]. destruct (pos F c a) eqn:E; auto.
  destruct (without a p) as [q|] eqn:W; auto. rewrite IH, (without_ok r a p q W). symmetry. apply ind_scale.
  now apply (pos_at sg fe M sg_pos F F_ok c r Vr).
Qed.

(** [p < 0] of a p that is not negative is 0; else the first coefficient becomes 1 or -1, and 1 where -p is known not to be 0. *)
Definition pind0 c (p : poly) : poly :=
  let q := lead p in if nonneg F c (unp p) then [] else if pos F c (unp (pscale c (-1) p)) then pc 1 else
  match Qnum q with
  | Zpos _ => pa (Fn FInd (unp (pscale c (Qred (/ q)) p)))
  | Zneg _ => let x := unp (pscale c (Qred (/ q)) p) in
      if nz F c x then padd (pc 1) (pscale c (-1) (pa (Fn FInd x))) else pa (Fn FInd (unp (pscale c (Qred (/ (- q))) p)))
  | Z0 => pa (Fn FInd (unp p)) end.
Lemma qpos_inv q n : Qnum q = Zpos n -> 0 < Q2R (Qred (/ q)).
Proof.
  intros H. assert (E : Qeq_bool q 0 = false). { unfold Qeq_bool. rewrite H. reflexivity. }
  destruct (qn0 _ E) as [-> _]. apply Rinv_0_lt_compat. eapply qpos; eauto.
Qed.
Lemma pind0_ok c r p : valid c r -> evalp r (pind0 c p) = ind (evalp r p).
Proof.
  intros Vr. unfold pind0. cbv zeta. destruct (nonneg F c (unp p)) eqn:NN.
  { apply (nonneg_at sg fe M sg_pos F F_ok c r Vr) in NN. rewrite unp_ok in NN. simpl. symmetry. now apply ind_nonneg. }
  destruct (pos F c _) eqn:PP.
  { apply (pos_at sg fe M sg_pos F F_ok c r Vr) in PP. rewrite unp_ok, (pscale_ok c r Vr), Q2Rm1 in PP. rewrite pc_ok, Q2R1.
    unfold ind. destruct (Rlt_dec _ _); lra. }
  destruct (Qnum (lead p)) as [|n|n] eqn:E.
  - rewrite pa_ok; cbn [Terms.eval fnR]; now rewrite unp_ok.
  - rewrite pa_ok; cbn [Terms.eval fnR]. rewrite unp_ok, (pscale_ok c r Vr). apply ind_scale. eapply qpos_inv; eauto.
  - assert (P : 0 < Q2R (Qred (/ - lead p))). { apply (qpos_inv (- lead p) n). simpl. now rewrite E. }
    destruct (nz F c _) eqn:K.
    + apply (nz_at sg fe M sg_pos F F_ok c r Vr) in K. rewrite padd_ok, pc_ok, (pscale_ok c r Vr), pa_ok, Q2Rm1, Q2R1.
      cbn [Terms.eval fnR]. revert K. rewrite unp_ok, (pscale_ok c r Vr).
      assert (O : Q2R (Qred (/ lead p)) = - Q2R (Qred (/ - lead p))).
      { rewrite !qred, <- Q2R_opp. apply Qeq_eqR. destruct (lead p) as [[|u|u] d]; simpl in *; try discriminate. reflexivity. }
      rewrite O. intros NZ.
      replace (ind (evalp r p)) with (ind (- (- Q2R (Qred (/ - lead p)) * evalp r p))).
      * rewrite (ind_opp _ NZ). ring.
      * rewrite <- (ind_scale _ (evalp r p) P). f_equal. ring.
    + rewrite pa_ok; cbn [Terms.eval fnR]. rewrite unp_ok, (pscale_ok c r Vr). now apply ind_scale.
Qed.

Definition pind c p := pind0 c (scaled c (match p with m :: _ => snd m | [] => [] end) p).
Lemma pind_ok c r p : valid c r -> evalp r (pind c p) = ind (evalp r p).
Proof. intros Vr. unfold pind. now rewrite pind0_ok, scaled_ok. Qed.

(** Products of two roots, and of two indicators of which one implies or excludes the other. *)
Definition minus c x y := padd (lin c x) (pscale c (-1) (lin c y)).
Definition two c a b : option poly := match a, b with
  | Fn FSqrt x, Fn FSqrt y => if eeq x y && nonneg F c x then Some (lin c x) else None
  | Fn FInv (Fn FSqrt x), Fn FInv (Fn FSqrt y) => if eeq x y && nonneg F c x then Some (pinv 8 c (lin c x)) else None
  | Fn FInd x, Fn FInd y =>
      if nonneg F c (unp (minus c x y)) then Some (pa a) else if nonneg F c (unp (minus c y x)) then Some (pa b)
      else if nonneg F c (unp (padd (lin c x) (lin c y))) then Some [] else None
  | _, _ => None end.
Lemma minus_ok c r x y : valid c r -> evalp r (minus c x y) = eval r x - eval r y.
Proof. intros Vr. unfold minus. rewrite padd_ok, (pscale_ok c r Vr), !(lin_ok _ c r Vr), Q2Rm1. ring. Qed.
Lemma two_ok c r a b p : valid c r -> two c a b = Some p -> evalp r p = eval r a * eval r b.
Proof.
  intros Vr. unfold two. destruct a as [| | | | | |f x| |]; try discriminate. destruct f; try discriminate.
  - destruct x as [| | | | | |f x| |]; try discriminate. destruct f; try discriminate. destruct b as [| | | | | |f y| |]; try discriminate.
    destruct f; try discriminate. destruct y as [| | | | | |f y| |]; try discriminate. destruct f; try discriminate.
    destruct (eeq x y && nonneg F c x) eqn:E; [|discriminate]. apply andb_prop in E as [E N]. apply eeq_ok in E. subst y. intros H; assert (G : forall q, Some q = Some p -> p = q) by congruence; rewrite (G _ H); clear G H.
    apply (nonneg_at sg fe M sg_pos F F_ok c r Vr) in N. rewrite (pinv_ok c r Vr), (lin_ok _ c r Vr). cbn [Terms.eval fnR].
    rewrite <- Rinv_mult, sqrt_sqrt; auto.
  - destruct b as [| | | | | |f y| |]; try discriminate. destruct f; try discriminate.
    destruct (eeq x y && nonneg F c x) eqn:E; [|discriminate]. apply andb_prop in E as [E N]. apply eeq_ok in E. subst y. intros H; assert (G : forall q, Some q = Some p -> p = q) by congruence; rewrite (G _ H); clear G H.
    apply (nonneg_at sg fe M sg_pos F F_ok c r Vr) in N. rewrite (lin_ok _ c r Vr). cbn [Terms.eval fnR]. rewrite sqrt_sqrt; auto.
  - destruct b as [| | | | | |f y| |]; try discriminate. destruct f; try discriminate.
    destruct (nonneg F c (unp (minus c x y))) eqn:A; [|destruct (nonneg F c (unp (minus c y x))) eqn:B;
      [|destruct (nonneg F c (unp (padd (lin c x) (lin c y)))) eqn:C; [|discriminate]]]; intros H; assert (G : forall q, Some q = Some p -> p = q) by congruence; rewrite (G _ H); clear G H.
    + apply (nonneg_at sg fe M sg_pos F F_ok c r Vr) in A. rewrite unp_ok, (minus_ok c r x y Vr) in A. rewrite pa_ok. cbn [Terms.eval fnR].
      rewrite ind_implied; lra.
    + apply (nonneg_at sg fe M sg_pos F F_ok c r Vr) in B. rewrite unp_ok, (minus_ok c r y x Vr) in B. rewrite pa_ok. cbn [Terms.eval fnR].
      rewrite Rmult_comm, ind_implied; lra.
    + apply (nonneg_at sg fe M sg_pos F F_ok c r Vr) in C. rewrite unp_ok, padd_ok, !(lin_ok _ c r Vr) in C. cbn [Terms.eval fnR].
      rewrite ind_disjoint; [reflexivity|lra].
Qed.
(** The first such pair, and the other factors. *)
Fixpoint with_one c a (l : list expr) : option (poly * list expr) := match l with
  | [] => None
  | b :: l => match two c a b with Some p => Some (p, l) | None =>
      match with_one c a l with Some (p, k) => Some (p, b :: k) | None => None end end end.
Fixpoint a_pair c (l : list expr) : option (poly * list expr) := match l with
  | [] => None
  | a :: l => match with_one c a l with Some x => Some x | None =>
      match a_pair c l with Some (p, k) => Some (p, a :: k) | None => None end end end.
Lemma with_one_ok c r a l : valid c r -> forall p k, with_one c a l = Some (p, k) -> eval r a * prodv r l = evalp r p * prodv r k.
Proof.
  intros Vr. induction l as [|b l IH]; simpl; intros p k H; [discriminate|]. destruct (two c a b) eqn:E.
  - injection H as <- <-. rewrite (two_ok c r a b _ Vr E). ring.
  - destruct (with_one c a l) as [[p' k']|]; [|discriminate]. injection H as <- <-. simpl. rewrite <- Rmult_assoc, (Rmult_comm (eval r a)), Rmult_assoc.
    rewrite (IH _ _ eq_refl). ring.
Qed.
Lemma a_pair_ok c r l : valid c r -> forall p k, a_pair c l = Some (p, k) -> prodv r l = evalp r p * prodv r k.
Proof.
  intros Vr. induction l as [|a l IH]; simpl; intros p k H; [discriminate|]. destruct (with_one c a l) as [[p' k']|] eqn:E.
  - injection H as <- <-. now apply (with_one_ok c r a l Vr).
  - destruct (a_pair c l) as [[p' k']|]; [|discriminate]. injection H as <- <-. simpl. rewrite (IH _ _ eq_refl). ring.
Qed.
Fixpoint pairs (fuel : nat) c (p : poly) : poly := match fuel with O => p | S f =>
  fold_right (fun m acc => match a_pair c (snd m) with
    | Some (q, l) => padd (pairs f c (pmulm F c (fst m, l) q)) acc | None => insm m acc end) [] p end.
Lemma pairs_ok c r : valid c r -> forall fuel p, evalp r (pairs fuel c p) = evalp r p.
Proof.
  intros Vr. induction fuel as [|f IH]; intros p; [reflexivity|]. cbn [pairs].
  induction p as [|m p IHp]; [reflexivity|]. cbn [fold_right Polynomials.evalp]. destruct (a_pair c (snd m)) as [[q l]|] eqn:E.
  - rewrite padd_ok, IH, IHp, (pmulm_ok sg fe M sg_pos F F_ok c r Vr). unfold Polynomials.evalm; cbn [fst snd].
    rewrite (a_pair_ok c r _ Vr _ _ E). ring.
  - now rewrite insm_ok, IHp.
Qed.

(** ** The normal form; [re] is the one of the level below, for terms that have been renamed *)
Section Level.
Variable re : list sz -> expr -> poly.
Hypothesis re_ok : forall c r e, valid c r -> evalp r (re c e) = eval r e.
Definition psize s : poly := match s with SC k => pc (inject_Z (Z.of_nat k)) | _ => pa (Siz s) end.
Lemma psize_ok r s : evalp r (psize s) = INR (ssz s).
Proof.
  destruct s; cbn [psize]; [|now rewrite pa_ok]. rewrite pc_ok. unfold Q2R, inject_Z; cbn [Qnum Qden Terms.ssz].
  rewrite Rinv_1, Rmult_1_r. symmetry. apply INR_IZR_INZ.
Qed.
Definition one_or c a := if known F One c a then pc 1 else pa a.
Lemma one_or_ok c r a : valid c r -> evalp r (one_or c a) = eval r a.
Proof.
  intros Vr. unfold one_or. destruct (known F One c a) eqn:E; [|apply pa_ok]. rewrite pc_ok, Q2R1.
  symmetry. exact (known_ok sg fe M sg_pos F F_ok One c r a Vr E).
Qed.
Definition at_index c i (l : list expr) : poly := fold_right (fun a p => pmul c (re c (ren [i] 0 a)) p) (pc 1) l.
Definition sum1 c (s : sz) (m : mono) : poly := match find_delta c s (snd m) with
  | Some (i, l) => pscale c (fst m) (at_index c i l)
  | None => let (x, y) := split (snd m) in
      pmulm F c (fst m, insl c x []) (match y with [] => psize s | _ => one_or c (mksum 6 c s (merged 6 (s :: c) y)) end) end.
Definition psum c s (p : poly) : poly := fold_right (fun m acc => padd (sum1 c s m) acc) [] p.
Lemma at_index_ok c r i l : valid c r -> evalp r (at_index c i l) = prodv (iv r i :: r) l.
Proof.
  intros Vr. unfold at_index. induction l as [|a l IH]; cbn [fold_right Polynomials.prodv]; [rewrite pc_ok; apply Q2R1|].
  rewrite (pmul_ok c r Vr), (re_ok c r _ Vr), IH, ren_ok. reflexivity.
Qed.
Lemma sum1_ok c r s m : valid c r -> evalp r (sum1 c s m) = bsum (ssz s) (fun k => evalm (k :: r) m).
Proof.
  intros Vr. unfold sum1, Polynomials.evalm. rewrite bsum_scal_l. destruct (find_delta c s (snd m)) as [[i l]|] eqn:D.
  - destruct (find_delta_ok c r s (snd m) Vr i l D) as [B E]. rewrite (pscale_ok c r Vr), (at_index_ok c r i l Vr). f_equal.
    rewrite (bsum_ext _ _ (fun k => (if Nat.eqb k (iv r i) then 1 else 0) * prodv (k :: r) l)) by (intros; apply E).
    symmetry. exact (bsum_one (ssz s) (iv r i) (fun k => prodv (k :: r) l) B).
  - destruct (split (snd m)) as [x y] eqn:E. rewrite (pmulm_ok sg fe M sg_pos F F_ok c r Vr). unfold Polynomials.evalm; cbn [fst snd].
    rewrite (insl_ok c r Vr). cbn [Polynomials.prodv].
    rewrite (bsum_ext _ _ (fun k => prodv r x * prodv (k :: r) y)) by (intros; apply (split_ok _ x y E)). rewrite bsum_scal_l.
    destruct y as [|b y].
    + rewrite psize_ok. cbn [Polynomials.prodv]. rewrite bsum_const. ring.
    + rewrite (one_or_ok c r _ Vr), (mksum_ok 6 c s _ r Vr).
      rewrite (bsum_ext _ (fun k => eval (k :: r) _) (fun k => prodv (k :: r) (b :: y))) by (intros; apply merged_ok; now constructor). ring.
Qed.
Lemma psum_ok c r s p : valid c r -> evalp r (psum c s p) = bsum (ssz s) (fun k => evalp (k :: r) p).
Proof.
  intros Vr. induction p as [|m p IH]; cbn [psum fold_right Polynomials.evalp]; [now rewrite bsum_zero|]. fold (psum c s p).
  now rewrite padd_ok, (sum1_ok c r s m Vr), IH, <- bsum_plus.
Qed.
(** A sum over few numbers is written out. *)
Fixpoint written_out n c a : poly := match n with O => [] | S k => padd (written_out k c a) (re c (ren [IC k] 0 a)) end.
Lemma written_out_ok n c r a : valid c r -> evalp r (written_out n c a) = bsum n (fun k => eval (k :: r) a).
Proof. intros Vr. induction n; cbn [written_out bsum]; [reflexivity|]. rewrite padd_ok, IHn, (re_ok c r _ Vr), ren_ok. reflexivity. Qed.
Definition pdelta i j : poly := match icmp i j with
  | Eq => pc 1 | Lt => match i, j with IC _, IC _ => [] | _, _ => pa (Delta i j) end
  | Gt => match i, j with IC _, IC _ => [] | _, _ => pa (Delta j i) end end.
Lemma pdelta_ok r i j : evalp r (pdelta i j) = eval r (Delta i j).
Proof.
  unfold pdelta. destruct (icmp i j) eqn:E.
  - apply icmp_eq in E. subst. rewrite pc_ok, Q2R1. cbn [Terms.eval]. now rewrite Nat.eqb_refl.
  - destruct i as [m|m], j as [n|n]; rewrite ?pa_ok; auto. simpl. apply Nat.compare_lt_iff in E. destruct (Nat.eqb_spec m n); auto; lia.
  - assert (S : evalp r (pa (Delta j i)) = eval r (Delta i j)) by (rewrite pa_ok; cbn [Terms.eval]; now rewrite Nat.eqb_sym).
    destruct i as [m|m], j as [n|n]; auto. simpl. apply Nat.compare_gt_iff in E. destruct (Nat.eqb_spec m n); auto; lia.
Qed.
Fixpoint norm c (e : expr) : poly := match e with
  | Cst q => pc q
  | Siz s => psize s
  | Delta i j => pdelta i j
  | V v l => one_or c e
  | Add a b => padd (norm c a) (norm c b)
  | Mul a b => pairs 4 c (pmul c (norm c a) (norm c b))
  | Sum (SC k) a => if Nat.leb k 4 then written_out k c a else psum c (SC k) (norm (SC k :: c) a)
  | Sum s a => psum c s (norm (s :: c) a)
  | Max s a => pa (Max s (unp (norm (s :: c) a)))
  | Fn FInv a => pinv 8 c (norm c a)
  | Fn FExp a => pexp c (norm c a)
  | Fn FLn a => pln c (norm c a)
  | Fn FInd a => pind c (norm c a)
  | Fn f a => pa (Fn f (unp (norm c a))) end.
Lemma norm_ok e : forall c r, valid c r -> evalp r (norm c e) = eval r e.
Proof.
  induction e as [q|s|v l|i j|a IHa b IHb|a IHa b IHb|f a IHa|s a IHa|s a IHa]; intros c r Vr; cbn [norm].
  - apply pc_ok.
  - apply psize_ok.
  - now apply one_or_ok.
  - apply pdelta_ok.
  - rewrite padd_ok, IHa, IHb; auto.
  - rewrite (pairs_ok c r Vr), (pmul_ok c r Vr), IHa, IHb; auto.
  - destruct f; rewrite ?(pinv_ok c r Vr), ?(pexp_ok c r _ Vr), ?(pln_ok c r _ Vr), ?(pind_ok c r _ Vr), ?pa_ok; cbn [Terms.eval fnR];
      rewrite ?unp_ok, IHa; auto.
  - assert (A : evalp r (psum c s (norm (s :: c) a)) = eval r (Sum s a)).
    { rewrite (psum_ok c r s _ Vr). cbn [Terms.eval]. apply bsum_ext. intros k K. apply IHa. now constructor. }
    destruct s as [k|n]; auto. destruct (Nat.leb k 4); auto. rewrite (written_out_ok k c r a Vr). reflexivity.
  - rewrite pa_ok. cbn [Terms.eval]. apply rmax_ext. intros k K. rewrite unp_ok. apply IHa. now constructor.
Qed.
End Level.
Fixpoint normal (levels : nat) : list sz -> expr -> poly := match levels with O => lin | S n => norm (normal n) end.
Lemma normal_ok n : forall c r e, valid c r -> evalp r (normal n c e) = eval r e.
Proof. induction n; intros c r e Vr; cbn [normal]; [now apply lin_ok|]. now apply norm_ok. Qed.

(** ** Whether a term is 0, after multiplication by its denominators *)
Definition mulden c q (m : mono) : poly := match remove1 (Fn FInv q) (snd m) with Some l => [(fst m, l)] | None => pmulm F c m (lin c q) end.
Lemma mulden_ok c r q m : valid c r -> nz F c q = true -> evalp r (mulden c q m) = evalm r m * eval r q.
Proof.
  intros Vr H. unfold mulden. destruct (remove1 _ _) as [l|] eqn:E.
  - apply (remove1_ok r) in E. cbn [Polynomials.evalp]. unfold Polynomials.evalm; cbn [fst snd]. rewrite E. cbn [Terms.eval fnR].
    field. now apply (nz_at sg fe M sg_pos F F_ok c r Vr).
  - now rewrite (pmulm_ok sg fe M sg_pos F F_ok c r Vr), (lin_ok q c r Vr).
Qed.
Fixpoint clear (fuel : nat) c (p : poly) : poly := match fuel, find_invp c p with
  | S n, Some q => clear n c (pairs 4 c (fold_right (fun m acc => padd (mulden c q m) acc) [] p)) | _, _ => p end.
Lemma clear_ok c r : valid c r -> forall n p, evalp r (clear n c p) = 0 -> evalp r p = 0.
Proof.
  intros Vr. induction n as [|n IH]; intros p H; [exact H|]. cbn [clear] in H. destruct (find_invp c p) as [q|] eqn:E; auto.
  apply find_invp_nz in E. apply IH in H. rewrite (pairs_ok c r Vr) in H.
  assert (A : evalp r (fold_right (fun m acc => padd (mulden c q m) acc) [] p) = evalp r p * eval r q).
  { clear H. induction p as [|m p IHp]; cbn [fold_right Polynomials.evalp]; [ring|]. rewrite padd_ok, (mulden_ok c r q m Vr E), IHp. ring. }
  rewrite A in H. apply Rmult_integral in H as [H|H]; auto. now apply (nz_at sg fe M sg_pos F F_ok c r Vr q) in E.
Qed.
Definition residue c (a b : expr) : poly := clear 30 c (normal 3 c (Add a (Mul (Cst (-1)) b))).

(** What is left may vanish piece by piece: an indicator is 1, or it is 0. [put a b e] is e with b in the place of a, but not under sums. *)
Fixpoint find_ind (e : expr) : option expr := match e with
  | Fn FInd a => match find_ind a with Some x => Some x | None => Some e end
  | Fn _ a => find_ind a
  | Add a b | Mul a b => match find_ind a with Some x => Some x | None => find_ind b end
  | _ => None end.
Fixpoint find_nested (e : expr) : option expr := match e with
  | Fn _ a => find_ind a
  | Add a b | Mul a b => match find_nested a with Some x => Some x | None => find_nested b end
  | _ => None end.
Fixpoint put (a b e : expr) : expr := if eeq a e then b else match e with
  | Add x y => Add (put a b x) (put a b y) | Mul x y => Mul (put a b x) (put a b y) | Fn f x => Fn f (put a b x) | _ => e end.
Lemma put_ok r a b e : eval r a = eval r b -> eval r (put a b e) = eval r e.
Proof.
  intros H. induction e; cbn [put]; match goal with |- context [eeq a ?x] => destruct (eeq a x) eqn:E; [apply eeq_ok in E; now rewrite <- E|] end;
    cbn [Terms.eval]; congruence.
Qed.
Definition left_zero c e : poly := clear 30 c (normal 2 c e).
Fixpoint pieces (fuel : nat) c (p : poly) : bool := match p with [] => true | _ => match fuel with O => false | S f =>
  let e := unp p in match find_nested e with
    | Some a => pieces f c (left_zero c (Mul a (put a (Cst 1) e))) && pieces f c (left_zero c (Mul (Add (Cst 1) (Mul (Cst (-1)) a)) (put a (Cst 0) e)))
    | None => match find_ind e with
      | Some a => pieces f c (left_zero c (put a (Cst 1) e)) && pieces f c (left_zero c (put a (Cst 0) e))
      | None => false end end end end.
Lemma find_ind_ok e : forall a, find_ind e = Some a -> exists x, a = Fn FInd x.
Proof.
  induction e; simpl; intros x H; try discriminate.
  - destruct (find_ind e1); auto.
  - destruct (find_ind e1); auto.
  - destruct f; auto. destruct (find_ind e); auto. injection H as <-. eauto.
Qed.
Lemma find_nested_ok e : forall a, find_nested e = Some a -> exists x, a = Fn FInd x.
Proof.
  induction e; simpl; intros x H; try discriminate.
  - destruct (find_nested e1); auto.
  - destruct (find_nested e1); auto.
  - now apply (find_ind_ok e).
Qed.
Lemma pieces_ok c r : valid c r -> forall fuel p, pieces fuel c p = true -> evalp r p = 0.
Proof.
  intros Vr. induction fuel as [|f IH]; intros [|m p] H; try reflexivity; try discriminate. cbn [pieces] in H. cbv zeta in H.
  assert (Z : forall e, pieces f c (left_zero c e) = true -> eval r e = 0).
  { intros e G. apply IH, (clear_ok c r Vr) in G. now rewrite normal_ok in G by auto. }
  assert (D : forall x, eval r (Fn FInd x) = 1 \/ eval r (Fn FInd x) = 0) by (intros; cbn; unfold ind; destruct (Rlt_dec _ _); auto).
  assert (P1 : forall a e, eval r a = 1 -> eval r (put a (Cst 1) e) = eval r e) by (intros a e A; apply put_ok; rewrite A; symmetry; apply Q2R1).
  assert (P0 : forall a e, eval r a = 0 -> eval r (put a (Cst 0) e) = eval r e) by (intros a e A; apply put_ok; rewrite A; symmetry; apply Q2R0).
  rewrite <- unp_ok. destruct (find_nested (unp (m :: p))) as [a|] eqn:N; [|destruct (find_ind (unp (m :: p))) as [a|] eqn:E; [|discriminate]].
  - destruct (find_nested_ok _ _ N) as [x X]. subst a. apply andb_prop in H as [H1 H0]. apply Z in H1, H0.
    remember (Fn FInd x) as a. cbn [Terms.eval] in H1, H0. rewrite Q2R1, Q2Rm1 in H0.
    destruct (D x) as [A|A]; rewrite <- Heqa in A.
    + rewrite (P1 _ _ A), A, Rmult_1_l in H1. exact H1.
    + rewrite (P0 _ _ A), A, Rmult_0_r, Rplus_0_r, Rmult_1_l in H0. exact H0.
  - destruct (find_ind_ok _ _ E) as [x X]. subst a. apply andb_prop in H as [H1 H0]. apply Z in H1, H0.
    destruct (D x) as [A|A]; [now rewrite (P1 _ _ A) in H1|now rewrite (P0 _ _ A) in H0].
Qed.
Definition same_at c a b := pieces 7 c (residue c a b).
Lemma same_at_ok c r a b : valid c r -> same_at c a b = true -> eval r a = eval r b.
Proof.
  unfold same_at. intros Vr H. generalize (pieces_ok c r Vr 7 (residue c a b) H). unfold residue. clear H. intros H.
  generalize (clear_ok c r Vr 30 _ H). clear H. intros H. rewrite normal_ok in H by auto. cbn [Terms.eval] in H. rewrite Q2Rm1 in H. lra.
Qed.
End Normal.
(** Coq's kernel is not to compute with the checker where two statements are compared: that is what [vm_compute] is for. *)
Global Strategy opaque [same_at residue pieces clear normal].
