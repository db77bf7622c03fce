(** * The checker: the two theorems that every exported theorem is an instance of

    [gradients_ok]: hand-written gradients that [check_gradients] accepts are the derivatives, along all curves at once.
    [equal_ok]: two matrices that [check_equal] accepts are equal, element by element. *)
From Coq Require Import Reals QArith Qreals ZArith List Bool Lra Lia.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums Terms Facts Polynomials Normal Derivative.
Import ListNotations.
Open Scope R_scope.

(** Functions of as many numbers as there are sizes: [nfun [N; D]] is [nat -> nat -> R]. *)
Fixpoint nfun (Q : list sz) : Type := match Q with [] => R | _ :: Q => nat -> nfun Q end.
Fixpoint ap Q : nfun Q -> list nat -> R := match Q with
  | [] => fun x _ => x | _ :: Q => fun f l => match l with k :: l => ap Q (f k) l | [] => 0 end end.
Fixpoint lam Q : (list nat -> R) -> nfun Q := match Q with [] => fun f => f [] | _ :: Q => fun f k => lam Q (fun l => f (k :: l)) end.
Lemma ap_lam Q : forall f l, length l = length Q -> ap Q (lam Q f) l = f l.
Proof. induction Q; destruct l; simpl; intros H; try discriminate; auto. apply (IHQ (fun l => f (n :: l))). lia. Qed.

(** An abstract layer: the variable [w] is any differentiable function of matrices. Each matrix is given by the variable that holds the
    derivative with respect to it, its sizes, and its element; of the indices of the element the last is [IV 0]. *)
Definition argument := (nat * list sz * expr)%type.
Definition layer := (nat * list sz * list argument)%type.
Fixpoint sums Q (e : expr) := match Q with [] => e | s :: Q => Sum s (sums Q e) end.
Definition last_first n := rev (map IV (seq 0 n)).

(** The derivative with respect to the variable [v] of the variables [V], which move, and of what the layers make of them; [m] tells what is
    moving, and [VP] are the moving variables with the sizes of their indices. *)
Fixpoint deltas d (l : list idx) := match l with [] => Cst 1 | [i] => Delta i (IV d) | i :: l => Mul (Delta i (IV d)) (deltas (S d) l) end.
Fixpoint moving V (L : list layer) w := match L with [] => existsb (Nat.eqb w) V | (w', _, _) :: L => Nat.eqb w w' || moving V L w end.
Definition through n d l s e := Mul (V s (map (fun i => match i with IV k => IV (k + n) | i => i end) l ++ last_first n)) (ren (map IV (seq 0 n)) (n + d) e).
Fixpoint dlayers v m (L : list layer) w d l : expr := match L with
  | [] => if Nat.eqb w v then deltas d l else Cst 0
  | (w', _, A) :: L => if Nat.eqb w w' then
      fold_right (fun a e => let '(s, Q, b) := a in let n := length Q in
        add0 (sums Q (through n d l s (dexpr m (dlayers v m L) n b))) e) (Cst 0) A
    else dlayers v m L w d l end.
Fixpoint okbase (VP : list (nat * list sz)) c w l : bool := match VP with
  | [] => false | (v, P) :: VP => if Nat.eqb w v then all_inb c l P && negb (existsb (Nat.eqb w) (map fst VP)) else okbase VP c w l end.
Fixpoint oklayers F VP m (L : list layer) c w l : bool := match L with
  | [] => okbase VP c w l
  | (w', Out, A) :: L => if Nat.eqb w w' then
      all_inb c l Out && forallb (fun a => let '(_, Q, b) := a in scoped (length Q) b && smooth F m (oklayers F VP m L) (rev Q) b) A
    else oklayers F VP m L c w l end.

(** Row maxima are left out: a Y that does not depend on them is compared with itself without them. *)
Fixpoint strip (e : expr) := match e with
  | Max _ _ => Cst 0 | Add a b => Add (strip a) (strip b) | Mul a b => Mul (strip a) (strip b) | Fn f a => Fn f (strip a)
  | Sum s a => Sum s (strip a) | _ => e end.
(** The value at the time 0 of a variable is, at the time 0, that variable. *)
Fixpoint renamed (stops : list (nat * nat)) w := match stops with [] => w | (a, b) :: stops => if Nat.eqb w a then b else renamed stops w end.
Fixpoint release stops (e : expr) := match e with
  | V w l => V (renamed stops w) l | Add a b => Add (release stops a) (release stops b) | Mul a b => Mul (release stops a) (release stops b)
  | Fn f a => Fn f (release stops a) | Sum s a => Sum s (release stops a) | Max s a => Max s (release stops a) | _ => e end.

(** An index of a known size is a number; each is tried. *)
Definition set_index n m e := ren (map IV (seq 0 n) ++ [IC m]) (S n) e.
Fixpoint same_from F n c k a b : bool := match k with
  | O => same_at F c a b
  | S k => match nth_error c n with
    | Some (SC s) => forallb (fun m => same_from F (S n) c k (set_index n m a) (set_index n m b)) (seq 0 s)
    | _ => same_from F (S n) c k a b end end.
Definition same F c a b := same_from F 0 c (length c) a b.

Definition still V L (F : list fact) := filter (fun f => negb (depends (moving V L) (snd f))) F.
Fixpoint all_same F' c d stops (VP : list (nat * list sz)) (D : list expr) : bool := match VP, D with
  | [], [] => true
  | (v, P) :: VP, D :: Ds => same F' (c ++ P) (release stops (d v)) (release stops D) && all_same F' c d stops VP Ds
  | _, _ => false end.
Definition check_gradients F (VP : list (nat * list sz)) L stops c (Y : expr) (D : list expr) : bool :=
  let F' := closed F in let Y' := strip Y in let V := map fst VP in let m := moving V L in
  (eeq Y Y' || same (still V L F) c Y Y') && scoped (length c) Y' && smooth F' m (oklayers F' VP m L) c Y'
  && all_same F' c (fun v => dexpr m (dlayers v m L) (length c) Y') stops VP D.
Definition check_equal F c (A B : expr) : bool := same (closed F) c A B.

Section Check.
Variables (sg : nat -> nat) (fe : nat -> nat -> R -> R) (E : R -> nat -> list nat -> R).
Notation ev t := (eval sg fe (E t)).
Notation ssz := (ssz sg).
Notation valid := (valid sg).
Hypothesis sg_pos : forall n, (0 < sg n)%nat.

Lemma split_at : forall r n, (n < length r)%nat -> map (fun k => iv r (IV k)) (seq 0 n) ++ nth n r O :: skipn (S n) r = r.
Proof.
  induction r; intros n L; [simpl in L; lia|]. destruct n; [reflexivity|]. cbn [seq map nth skipn iv app]. f_equal.
  rewrite <- seq_shift, map_map. simpl in L. apply (IHr n). lia.
Qed.
Lemma same_from_ok t F : all_hold sg fe (E t) F -> forall k n c a b, same_from F n c k a b = true -> forall r, valid c r -> ev t r a = ev t r b.
Proof.
  intros HF. induction k; intros n c a b H r Vr; cbn [same_from] in H; [now apply (same_at_ok sg fe (E t) sg_pos F HF c)|].
  destruct (nth_error c n) as [[s|s]|] eqn:N; try (now apply (IHk (S n) c)).
  rewrite forallb_forall in H.
  assert (L : (n < length r)%nat) by (rewrite (valid_length sg c r Vr); apply nth_error_Some; congruence).
  assert (B : (nth n r O < s)%nat).
  { clear -Vr N. revert r n Vr N. induction c; intros r n Vr N; destruct n; try discriminate; inversion Vr; subst; cbn in *.
    - injection N as ->. assumption.
    - now apply IHc. }
  assert (A : forall e, ev t r (set_index n (nth n r O) e) = ev t r e).
  { intros e. unfold set_index. rewrite ren_ok. f_equal. rewrite map_app. cbn [map iv]. rewrite <- app_assoc. cbn [app].
    rewrite map_map. exact (split_at r n L). }
  rewrite <- (A a), <- (A b). apply (IHk (S n) c); auto. apply H. apply in_seq. lia.
Qed.
Lemma same_ok t F c a b : all_hold sg fe (E t) F -> same F c a b = true -> forall r, valid c r -> ev t r a = ev t r b.
Proof. intros HF H. exact (same_from_ok t F HF _ _ _ _ _ H). Qed.

Theorem equal_ok F c A B : check_equal F c A B = true -> all_hold sg fe (E 0) F -> foralls sg c (fun r => ev 0 r A = ev 0 r B).
Proof.
  intros H HF. apply foralls_intro. intros r Vr. apply (same_ok 0 (closed F) c); auto. now apply closed_ok.
Qed.

(** ** The variables that move *)
Variables (F : list fact) (vs : list variable).
Hypothesis F_ok : all_hold sg fe (E 0) F.
Fixpoint all_move (vs : list variable) : Prop := match vs with
  | [] => True | (v, P, dv) :: vs => foralls sg P (fun p => is_derive (fun t => E t v p) 0 (dv p)) /\ all_move vs end.
Hypothesis vs_ok : all_move vs.
Notation VP := (map fst vs).
Notation Vs := (map fst VP).
(** What it means that [w] is a differentiable function of its arguments: for all derivatives of these, that of [w] is a sum over them. *)
Fixpoint differentiable w Out (A : list argument) (sum : list nat -> R) : Prop := match A with
  | [] => foralls sg Out (fun l => is_derive (fun t => E t w l) 0 (sum l))
  | (s, Q, b) :: A => forall T : nfun Q, foralls sg Q (fun q => is_derive (fun t => ev t (rev q) b) 0 (ap Q T q)) ->
      differentiable w Out A (fun l => sum l + bsums (map ssz Q) (fun q => E 0 s (l ++ q) * ap Q T q)) end.
Fixpoint all_differentiable (L : list layer) : Prop := match L with
  | [] => True | (w, Out, A) :: L => differentiable w Out A (fun _ => 0) /\ all_differentiable L end.
Notation Σ := (rate sg vs).
Lemma iscoped_inb c l Q : all_inb c l Q = true -> forallb (iscoped (length c)) l = true.
Proof.
  revert Q. induction l as [|i l IH]; intros [|s Q]; simpl; try discriminate; auto. intros H. apply andb_prop in H as [H K].
  rewrite (IH Q K), andb_true_r. destruct i; auto. cbn in *. apply Nat.ltb_lt. destruct (nth_error c n) eqn:N; [|discriminate].
  apply nth_error_Some. congruence.
Qed.
Lemma iv_app r p i : iscoped (length r) i = true -> iv (r ++ p) i = iv r i.
Proof. destruct i as [k|n]; auto. cbn. intros H. apply Nat.ltb_lt in H. now rewrite app_nth1. Qed.
Lemma map_iv_app r p l : forallb (iscoped (length r)) l = true -> map (iv (r ++ p)) l = map (iv r) l.
Proof. intros H. apply map_ext_in. intros i I. apply iv_app. rewrite forallb_forall in H. auto. Qed.
Lemma deltas_ok t r l : forall Q q f, forallb (iscoped (length r)) l = true -> Forall2 (fun s k => (k < ssz s)%nat) Q (map (iv r) l) ->
  bsums (map ssz Q) (fun p => ev t (r ++ q ++ p) (deltas (length r + length q) l) * f p) = f (map (iv r) l).
Proof.
  induction l as [|i l IH]; intros [|s Q'] q f Sc B; try (now inversion B); cbn [map bsums forallb] in *; [cbn; rewrite Q2R1; ring|].
  assert (H1 : (iv r i < ssz s)%nat) by now inversion B.
  assert (H3 : Forall2 (fun s k => (k < ssz s)%nat) Q' (map (iv r) l)) by now inversion B.
  apply andb_prop in Sc as [Si Sl].
  rewrite (bsum_ext _ _ (fun k => (if Nat.eqb k (iv r i) then 1 else 0) * f (k :: map (iv r) l))).
  - exact (bsum_one _ (iv r i) (fun k => f (k :: map (iv r) l)) H1).
  - intros k K. assert (X : forall p, iv (r ++ q ++ k :: p) (IV (length r + length q)) = k).
    { intros p. cbn [iv]. rewrite app_assoc, app_nth2; rewrite app_length; [|lia]. now rewrite Nat.sub_diag. }
    assert (Y : forall p, iv (r ++ q ++ k :: p) i = iv r i) by (intros; now apply iv_app).
    destruct l as [|j l].
    + destruct Q'; [|now inversion H3]. cbn [bsums map deltas eval]. rewrite X, Y, Nat.eqb_sym. reflexivity.
    + rewrite <- (IH Q' (q ++ [k]) (fun p => f (k :: p)) Sl H3), <- bsums_scal. apply bsums_ext. intros p _.
      change (deltas (length r + length q) (i :: j :: l)) with (Mul (Delta i (IV (length r + length q))) (deltas (S (length r + length q)) (j :: l))).
      cbn [eval]. rewrite X, Y, Nat.eqb_sym, app_length. cbn [length].
      replace (length r + (length q + 1))%nat with (S (length r + length q)) by lia.
      replace (r ++ (q ++ [k]) ++ p) with (r ++ q ++ k :: p) by (now rewrite <- app_assoc). ring.
Qed.
Lemma base_ok w l c r : valid c r -> forall us, okbase (map fst us) c w l = true -> all_move us ->
  is_derive (fun t => E t w (map (iv r) l)) 0 (rate sg us (fun v p => ev 0 (r ++ p) (if Nat.eqb w v then deltas (length r) l else Cst 0))).
Proof.
  intros Vr. induction us as [|[[v P] dv] us IH]; cbn [map okbase fst rate fold_right part all_move]; [discriminate|]. intros H [M K].
  destruct (Nat.eqb w v) eqn:W.
  - apply Nat.eqb_eq in W. subst w. apply andb_prop in H as [H N]. apply negb_true_iff in N.
    assert (B := all_inb_ok sg sg_pos c r Vr l P H).
    assert (Sc : forallb (iscoped (length r)) l = true) by (rewrite (valid_length sg c r Vr); now apply (iscoped_inb c l P)).
    assert (Z : rate sg us (fun u p => ev 0 (r ++ p) (if Nat.eqb v u then deltas (length r) l else Cst 0)) = 0).
    { clear -N. induction us as [|[[u Q] du] us IH]; [reflexivity|]. cbn [map fst existsb] in N. apply orb_false_elim in N as [N1 N2].
      cbn [rate fold_right part]. rewrite N1. fold (rate sg us (fun u p => ev 0 (r ++ p) (if Nat.eqb v u then deltas (length r) l else Cst 0))).
      rewrite (IH N2), (bsums_ext _ _ (fun _ => 0)), bsums_zero by (intros; cbn [eval]; rewrite Q2R0; ring). ring. }
    unfold rate in Z. rewrite Z, Rplus_0_r.
    generalize (deltas_ok 0 r l P [] dv Sc B). cbn [length app]. rewrite Nat.add_0_r. intros ->.
    exact (foralls_ok sg P (fun p => is_derive (fun t => E t v p) 0 (dv p)) _ M B).
  - rewrite (bsums_ext _ _ (fun _ => 0)), bsums_zero, Rplus_0_l by (intros; cbn [eval]; rewrite Q2R0; ring). now apply IH.
Qed.

(** ** The derivative of what layers make of it *)
Lemma sums_ok t Q : forall r e, ev t r (sums Q e) = bsums (map ssz Q) (fun q => ev t (rev q ++ r) e).
Proof.
  induction Q; intros r e; [reflexivity|]. cbn [sums eval bsums map]. apply bsum_ext. intros k _. rewrite IHQ.
  apply bsums_ext. intros q _. cbn [rev]. now rewrite <- app_assoc.
Qed.
Lemma valid_rev Q : forall q, Forall2 (fun k n => (k < n)%nat) q (map ssz Q) -> valid (rev Q) (rev q).
Proof.
  induction Q; intros q H; inversion H; subst; [constructor|]. cbn [rev map]. apply Forall2_app; [now apply IHQ|repeat constructor; assumption].
Qed.
Lemma same_length {A B} (R : A -> B -> Prop) a b : Forall2 R a b -> length a = length b.
Proof. intros H. induction H; simpl; auto. Qed.
Lemma iv_seq : forall u p, map (iv (u ++ p)) (map IV (seq 0 (length u))) = u.
Proof.
  induction u; intros p; [reflexivity|]. cbn [length seq map]. f_equal. rewrite <- seq_shift, !map_map. specialize (IHu p). rewrite map_map in IHu. exact IHu.
Qed.
Lemma through_ok r q p l s e : forallb (iscoped (length r)) l = true ->
  ev 0 (rev q ++ r ++ p) (through (length q) (length r) l s e) = E 0 s (map (iv r) l ++ q) * ev 0 (rev q ++ p) e.
Proof.
  intros Sc. unfold through. cbn [eval]. f_equal.
  - f_equal. rewrite map_app, map_map. f_equal.
    + apply map_ext_in. intros i I. rewrite forallb_forall in Sc. specialize (Sc i I). destruct i as [k|n]; auto. cbn in *. apply Nat.ltb_lt in Sc.
      rewrite app_nth2; rewrite rev_length; [|lia]. rewrite Nat.add_sub, app_nth1; auto.
    + unfold last_first. rewrite map_rev, <- (rev_length q), iv_seq. apply rev_involutive.
  - rewrite ren_ok, <- (rev_length q), iv_seq. f_equal. f_equal.
    rewrite <- app_length, app_assoc, skipn_app, skipn_all, Nat.sub_diag. reflexivity.
Qed.
Notation F' := (closed F).
Lemma F'_ok : all_hold sg fe (E 0) F'.
Proof. now apply closed_ok. Qed.
Variable L0 : list layer.
Hypothesis constant_ok : forall w, moving Vs L0 w = false -> forall t l, E t w l = E 0 w l.
Notation m := (moving Vs L0).
Lemma Σ_add a b r : Σ (fun v p => ev 0 (r ++ p) (add0 (a v) (b v))) = Σ (fun v p => ev 0 (r ++ p) (a v)) + Σ (fun v p => ev 0 (r ++ p) (b v)).
Proof. rewrite <- Σ_plus. apply Σ_ext. intros. now rewrite add0_ok. Qed.
Lemma dvalue (f : R -> R) (x a b : R) : is_derive f x a -> a = b -> is_derive f x b.
Proof. now intros H <-. Qed.
Lemma last_first_sum (x y z : R) : x + (y + z) = z + x + y.
Proof. ring. Qed.
Notation d L v := (dexpr m (dlayers v m L)).
Lemma layers_ok L : all_differentiable L -> forall w l c r, valid c r -> oklayers F' VP m L c w l = true ->
  is_derive (fun t => E t w (map (iv r) l)) 0 (Σ (fun v p => ev 0 (r ++ p) (dlayers v m L w (length r) l))).
Proof.
  induction L as [|[[w' Out] A] L IH]; intros HL w l c r Vr H; cbn [oklayers dlayers] in *; [now apply (base_ok w l c)|].
  destruct HL as [HA HL]. specialize (IH HL). destruct (Nat.eqb w w') eqn:W; [|now apply (IH w l c)].
  apply Nat.eqb_eq in W. subst w'. apply andb_prop in H as [B H].
  assert (Sc : forallb (iscoped (length r)) l = true) by (rewrite (valid_length sg c r Vr); now apply (iscoped_inb c l Out)).
  apply (all_inb_ok sg sg_pos c r Vr) in B. set (l' := map (iv r) l) in *.
  assert (G : forall A sum e, differentiable w Out A sum -> forallb (fun a => let '(_, Q, b) := a in
      scoped (length Q) b && smooth F' m (oklayers F' VP m L) (rev Q) b) A = true -> sum l' = Σ (fun v p => ev 0 (r ++ p) (e v)) ->
    is_derive (fun t => E t w l') 0 (Σ (fun v p => ev 0 (r ++ p) (fold_right (fun a e => let '(s, Q, b) := a in let n := length Q in
        add0 (sums Q (through n (length r) l s (d L v n b))) e) (Cst 0) A)) + sum l')).
  { clear HA H A. induction A as [|[[s Q] b] A IHA]; intros sum e D H X; cbn [fold_right differentiable forallb] in *.
    - rewrite Σ_zero, Rplus_0_l by (intros; cbn [eval]; apply Q2R0).
      exact (foralls_ok sg Out (fun l => is_derive (fun t => E t w l) 0 (sum l)) l' D B).
    - apply andb_prop in H as [Hb HA]. apply andb_prop in Hb as [Sb Kb].
      set (T := fun q => Σ (fun v p => ev 0 (rev q ++ p) (d L v (length Q) b))).
      assert (HT : forall q, length q = length Q -> ap Q (lam Q T) q = T q) by (intros; now apply ap_lam).
      assert (LQ : forall q, Forall2 (fun k n => (k < n)%nat) q (map ssz Q) -> length q = length Q).
      { intros q Hq. apply same_length in Hq. now rewrite map_length in Hq. }
      specialize (D (lam Q T)).
      assert (DT : foralls sg Q (fun q => is_derive (fun t => ev t (rev q) b) 0 (ap Q (lam Q T) q))).
      { apply foralls_intro. intros q Vq. rewrite HT by now apply (valid_length sg). unfold T. rewrite <- (valid_length sg _ _ Vq), <- rev_length.
        apply (derivative_ok sg fe E sg_pos F' F'_ok vs m (fun v => dlayers v m L) (oklayers F' VP m L)) with (c := rev Q); auto.
        - apply valid_rev. clear -Vq. induction Vq; constructor; auto.
        - now rewrite rev_length. }
      specialize (D DT).
      assert (X' : bsums (map ssz Q) (fun q => E 0 s (l' ++ q) * ap Q (lam Q T) q) =
        Σ (fun v p => ev 0 (r ++ p) (sums Q (through (length Q) (length r) l s (d L v (length Q) b))))).
      { rewrite (bsums_ext (map ssz Q) _ (fun q => Σ (fun v p => E 0 s (l' ++ q) * ev 0 (rev q ++ p) (d L v (length Q) b)))).
        - rewrite bsums_Σ. apply Σ_ext. intros v p. rewrite sums_ok. apply bsums_ext. intros q Hq.
          rewrite <- (LQ q Hq) at 2. rewrite through_ok by auto. reflexivity.
        - intros q Hq. rewrite HT by auto. unfold T. now rewrite Σ_scal. }
      specialize (IHA _ (fun v => add0 (e v) (sums Q (through (length Q) (length r) l s (d L v (length Q) b)))) D HA).
      cbv beta in IHA. rewrite X', X in IHA.
      rewrite Σ_add in IHA. specialize (IHA eq_refl). cbv zeta in IHA |- *.
      apply (dvalue _ _ _ _ IHA). rewrite X, (Σ_add (fun v => sums Q _) (fun v => fold_right _ _ A)). apply last_first_sum. }
  specialize (G A (fun _ => 0) (fun _ => Cst 0) HA H). rewrite Rplus_0_r in G. apply G.
  rewrite Σ_zero; auto. intros. cbn [eval]. apply Q2R0.
Qed.

(** ** The theorem about gradients *)
Variable stops : list (nat * nat).
Fixpoint all_stops (stops : list (nat * nat)) : Prop := match stops with [] => True | (a, b) :: stops => E 0 b = E 0 a /\ all_stops stops end.
Hypothesis stops_hold : all_stops stops.
Lemma stops_ok w l : E 0 (renamed stops w) l = E 0 w l.
Proof.
  revert stops_hold. generalize stops as S'. induction S' as [|[a b] S' IH]; simpl; auto. intros [H K].
  destruct (Nat.eqb_spec w a) as [->|]; auto. now rewrite H.
Qed.
Lemma release_ok e : forall r, ev 0 r (release stops e) = ev 0 r e.
Proof.
  induction e; intros r; cbn [release eval]; auto; try congruence.
  - apply stops_ok.
  - apply bsum_ext. auto.
  - apply rmax_ext. auto.
Qed.
Lemma still_ok t : all_hold sg fe (E t) (still Vs L0 F).
Proof.
  apply all_hold_intro. intros [[k Q] e] I. unfold still in I. apply filter_In in I as [I D]. cbn [snd] in D. apply negb_true_iff in D.
  generalize (all_hold_in sg fe (E 0) F _ F_ok I). unfold holds. intros H. apply foralls_intro. intros r Vr.
  rewrite (depends_ok sg fe E m constant_ok t e D). exact (foralls_ok sg Q _ r H Vr).
Qed.
(** Σ_p D_p dv_p for each of the variables, added up. *)
Fixpoint total r (us : list variable) (D : list expr) : R := match us, D with
  | (_, P, dv) :: us, D :: Ds =>
      let s := bsums (map ssz P) (fun p => ev 0 (r ++ p) D * dv p) in match us with [] => s | _ => s + total r us Ds end
  | _, _ => 0 end.
Lemma total_ok c r dY : valid c r -> forall us D, all_same F' c dY stops (map fst us) D = true ->
  rate sg us (fun v p => ev 0 (r ++ p) (dY v)) = total r us D.
Proof.
  intros Vr. induction us as [|[[v P] dv] us IH]; intros [|D Ds] H; cbn [map fst all_same] in H; try discriminate; [reflexivity|].
  apply andb_prop in H as [HD H]. cbn [total]. cbv zeta.
  change (rate sg ((v, P, dv) :: us) ?f) with (bsums (map ssz P) (fun p => f v p * dv p) + rate sg us f). rewrite (IH Ds H).
  rewrite (bsums_ext _ (fun p => ev 0 (r ++ p) (dY v) * dv p) (fun p => ev 0 (r ++ p) D * dv p)).
  - destruct us; [|reflexivity]. destruct Ds; [|discriminate]. simpl. ring.
  - intros p Hp. f_equal. rewrite <- (release_ok (dY v)), <- (release_ok D).
    apply (same_ok 0 F' (c ++ P)); [apply F'_ok|exact HD|]. apply Forall2_app; auto.
    clear -Hp. revert Hp. generalize P as Q. induction p; intros Q Hp; destruct Q; inversion Hp; subst; constructor; auto.
Qed.
Theorem gradients_ok c Y D : check_gradients F VP L0 stops c Y D = true -> all_differentiable L0 ->
  foralls sg c (fun r => is_derive (fun t => ev t r Y) 0 (total r vs D)).
Proof.
  unfold check_gradients. cbv zeta. intros H HL. apply andb_prop in H as [H HS]. apply andb_prop in H as [H HK]. apply andb_prop in H as [HY HC].
  apply foralls_intro. intros r Vr. apply (dext (fun t => ev t r (strip Y))).
  - intros t. apply orb_prop in HY as [HY|HY]; [apply eeq_ok in HY; now rewrite <- HY|].
    symmetry. apply (same_ok t (still Vs L0 F) c); auto. apply still_ok.
  - apply (dvalue _ _ (Σ (fun v p => ev 0 (r ++ p) (d L0 v (length r) (strip Y))))).
    + apply (derivative_ok sg fe E sg_pos F' F'_ok vs m (fun v => dlayers v m L0) (oklayers F' VP m L0)) with (c := c); auto.
      intros. now apply (layers_ok L0 HL w l c0).
    + rewrite (valid_length sg c r Vr). exact (total_ok c r (fun v => d L0 v (length c) (strip Y)) Vr vs D HS).
Qed.
End Check.

(** ** For the hypotheses of the two theorems, in exported files: sizes and variables are given as lists *)
Fixpoint all_positive (l : list nat) : Prop := match l with [] => True | n :: l => (0 < n)%nat /\ all_positive l end.
Lemma positive_ok l : all_positive l -> forall n, (0 < nth n l 1)%nat.
Proof. induction l; intros H n; [destruct n; exact Nat.lt_0_1|]. destruct H, n; simpl; auto. Qed.
Fixpoint all_constant (m : nat -> bool) k (A B : list (list nat -> R)) : Prop := match A, B with
  | [], [] => True | a :: A, b :: B => (if m k then True else a = b) /\ all_constant m (S k) A B | _, _ => False end.
Lemma constant_variables m A : forall B k, all_constant m k A B -> forall n, m (k + n)%nat = false -> nth n A (fun _ => 0) = nth n B (fun _ => 0).
Proof.
  induction A; intros [|b B] k H n N; simpl in H; try contradiction; auto. destruct H as [H K]. destruct n; simpl.
  - rewrite Nat.add_0_r in N. now rewrite N in H.
  - apply (IHA B (S k) K). now rewrite Nat.add_succ_comm.
Qed.
Lemma constant_list m (A : R -> list (list nat -> R)) : (forall t, all_constant m 0 (A t) (A 0)) ->
  forall w, m w = false -> forall t l, nth w (A t) (fun _ => 0) l = nth w (A 0) (fun _ => 0) l.
Proof. intros H w W t l. now rewrite (constant_variables m (A t) (A 0) O (H t) w W). Qed.
Ltac conjunction := repeat first [exact I | reflexivity | assumption | apply conj].
