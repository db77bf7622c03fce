(** * Facts: the hypotheses of a theorem, and what they say about terms: where a term is not 0, positive, or 1

    A fact is a statement about a term for all values of its indices. To use it for a term at hand, [covers] finds an instance of the one
    that is equal to the other. *)
From Coq Require Import Reals QArith Qreals ZArith List Bool Lra Lia.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums Terms.
Import ListNotations.
Open Scope R_scope.

Inductive kind := NonZero | Positive | One | Smooth (k o : nat).
Definition fact := (kind * list sz * expr)%type.

(** Where a fact of kind [k] is known of the pattern [p], is it known of [a]? [unify] guesses an instance; only [covers] is trusted. *)
Definition lower d i := match i with IC k => Some (IC k) | IV n => if Nat.ltb n d then None else Some (IV (n - d)) end.
Fixpoint set_nth n (i : idx) (l : list (option idx)) := match n, l with
  | O, _ :: l => Some i :: l | S n, o :: l => o :: set_nth n i l | _, [] => [] end.
Definition unify_idx d (p a : idx) l := match p with
  | IV n => if Nat.ltb n d then l else match lower d a with Some i => set_nth (n - d) i l | None => l end
  | IC _ => l end.
Fixpoint unify_list d (p a : list idx) l := match p, a with i :: p, j :: a => unify_list d p a (unify_idx d i j l) | _, _ => l end.
Fixpoint unify d (p a : expr) l := match p, a with
  | V _ m, V _ k => unify_list d m k l
  | Delta i j, Delta k m => unify_idx d i k (unify_idx d j m l)
  | Add p q, Add a b | Mul p q, Mul a b => unify d q b (unify d p a l)
  | Fn _ p, Fn _ a => unify d p a l
  | Sum _ p, Sum _ a | Max _ p, Max _ a => unify (S d) p a l
  | _, _ => l end.
(** The index [i] is below the size [s]. *)
Definition inb (c : list sz) (i : idx) (s : sz) := match i with
  | IC k => match s with SC m => Nat.ltb k m | SV _ => Nat.eqb k 0 end
  | IV n => match nth_error c n with Some t => seq_ s t | None => false end end.
Fixpoint all_inb c l P := match l, P with [], [] => true | i :: l, s :: P => inb c i s && all_inb c l P | _, _ => false end.
Definition covers (c P : list sz) (p a : expr) : bool :=
  Nat.eqb (etag p) (etag a) &&
  let l := map (fun o => match o with Some i => i | None => IC 0 end) (unify 0 p a (map (fun _ => None) P)) in
  all_inb c l P && eeq (ren l (length c) p) a.
Definition kind_eqb k l := match k, l with
  | NonZero, NonZero | Positive, Positive | One, One => true | Smooth a b, Smooth m n => Nat.eqb a m && Nat.eqb b n | _, _ => false end.
Definition known (F : list fact) k (c : list sz) (a : expr) := existsb (fun f => kind_eqb k (fst (fst f)) && covers c (snd (fst f)) (snd f) a) F.

Section Facts.
Variables (sg : nat -> nat) (fe : nat -> nat -> R -> R) (M : nat -> list nat -> R).
Notation eval := (eval sg fe M).
Notation ssz := (ssz sg).
Notation valid := (valid sg).

(** What a fact says of the value of the term, and the fact itself, for all indices within their sizes. *)
Definition says k (x : R) : Prop := match k with
  | NonZero => x <> 0 | Positive => 0 < x | One => x = 1 | Smooth k o => is_derive (fe k o) x (fe k (S o) x) end.
Fixpoint foralls (P : list sz) (Q : list nat -> Prop) : Prop := match P with
  | [] => Q [] | s :: P => forall k, (k < ssz s)%nat -> foralls P (fun r => Q (k :: r)) end.
Definition holds (f : fact) : Prop := let '(k, P, e) := f in foralls P (fun r => says k (eval r e)).
Fixpoint all_hold (F : list fact) : Prop := match F with [] => True | f :: F => holds f /\ all_hold F end.
Lemma all_hold_in F f : all_hold F -> In f F -> holds f.
Proof. induction F; simpl; [contradiction|]. intros [H K] [<-|I]; auto. Qed.
Lemma all_hold_app F G : all_hold F -> all_hold G -> all_hold (F ++ G).
Proof. induction F; simpl; auto. intros [H K]. auto. Qed.
Lemma foralls_ok P : forall Q r, foralls P Q -> Forall2 (fun s k => (k < ssz s)%nat) P r -> Q r.
Proof. induction P; simpl; intros Q r H K; inversion K; subst; auto. apply (IHP (fun r => Q (y :: r))); auto. Qed.

Hypothesis sg_pos : forall n, (0 < sg n)%nat.
Lemma inb_ok c r i s : valid c r -> inb c i s = true -> (iv r i < ssz s)%nat.
Proof.
  intros Vr. destruct i as [k|n]; cbn [inb iv].
  - destruct s; cbn [Terms.ssz]; intros H; [now apply Nat.ltb_lt|apply Nat.eqb_eq in H; subst; apply sg_pos].
  - revert r n Vr. induction c as [|t c IH]; intros r n Vr H; [destruct n; discriminate|].
    inversion Vr; subst. destruct n as [|n]; cbn [nth_error nth] in *; [apply seq_ok in H; now subst|now apply IH].
Qed.
Lemma all_inb_ok c r : valid c r -> forall l P, all_inb c l P = true -> Forall2 (fun s k => (k < ssz s)%nat) P (map (iv r) l).
Proof.
  intros Vr. induction l; destruct P; simpl; intros H; try discriminate; constructor; apply andb_prop in H as [H K]; auto.
  now apply inb_ok with c.
Qed.
Lemma valid_length c r : valid c r -> length r = length c.
Proof. intros H. induction H; simpl; auto. Qed.
Variable F : list fact.
Hypothesis F_ok : all_hold F.
Lemma known_ok k c r a : valid c r -> known F k c a = true -> says k (eval r a).
Proof.
  intros Vr H. apply existsb_exists in H as ([[k' P] p] & I & H). cbn [fst snd] in H. apply andb_prop in H as [K H].
  assert (KK : k' = k).
  { destruct k, k'; simpl in K; try discriminate; auto. apply andb_prop in K as [A B]. apply Nat.eqb_eq in A, B. now subst. }
  subst k'.
  unfold covers in H. apply andb_prop in H as [_ H]. cbv zeta in H. apply andb_prop in H as [H E]. apply eeq_ok in E. rewrite <- E.
  rewrite ren_ok, <- (valid_length c r Vr), skipn_all, app_nil_r.
  apply (foralls_ok P (fun r => says k (eval r p))); [exact (all_hold_in F _ F_ok I)|now apply (all_inb_ok c)].
Qed.

(** ** Signs that can be read off: unknown, not negative, positive *)
Inductive sgn := Any | NonNeg | Pos.
Definition ssign s := match s with SC O => NonNeg | _ => Pos end.
Definition plus_sign x y := match x, y with Pos, Pos | Pos, NonNeg | NonNeg, Pos => Pos | NonNeg, NonNeg => NonNeg | _, _ => Any end.
Definition times_sign x y := match x, y with Pos, Pos => Pos | Pos, NonNeg | NonNeg, Pos | NonNeg, NonNeg => NonNeg | _, _ => Any end.
Fixpoint sign (c : list sz) (e : expr) : sgn :=
  if known F Positive c e then Pos else match e with
  | Cst q => match Qnum q with Zpos _ => Pos | Z0 => NonNeg | _ => Any end
  | Siz s => ssign s
  | V _ _ => Any
  | Delta _ _ => NonNeg
  | Add a b => plus_sign (sign c a) (sign c b)
  | Mul a b => match times_sign (sign c a) (sign c b) with
      | Any => if eeq a b then NonNeg else match b with
             | Mul b' d => if eeq a b' then times_sign NonNeg (sign c d) else Any | _ => Any end
      | x => x end
  | Fn FExp _ | Fn Fphi _ => Pos
  | Fn FInv a => sign c a
  | Fn FSqrt a => match sign c a with Pos => Pos | _ => NonNeg end
  | Fn FInd _ => NonNeg
  | Fn _ _ => Any
  | Sum s a => times_sign (ssign s) (sign (s :: c) a)
  | Max s a => Any
  end.
Definition sound x (y : R) := match x with Pos => 0 < y | NonNeg => 0 <= y | Any => True end.
Lemma plus_sign_ok x y a b : sound x a -> sound y b -> sound (plus_sign x y) (a + b).
Proof. destruct x, y; simpl; auto; lra. Qed.
Lemma times_sign_ok x y a b : sound x a -> sound y b -> sound (times_sign x y) (a * b).
Proof. destruct x, y; simpl; auto; intros; try (apply Rmult_le_pos; lra). now apply Rmult_lt_0_compat. Qed.
Lemma ssign_ok s : sound (ssign s) (INR (ssz s)).
Proof. destruct s as [[|k]|n]; cbn [ssign sound Terms.ssz]; [simpl; lra|apply lt_0_INR; lia|apply lt_0_INR, sg_pos]. Qed.
Lemma cons_valid c r s k : valid c r -> (k < ssz s)%nat -> valid (s :: c) (k :: r).
Proof. intros. constructor; auto. Qed.
Lemma phi_pos x : 0 < phi x.
Proof. unfold phi, Rdiv. apply Rmult_lt_0_compat; [apply exp_pos|apply Rinv_0_lt_compat, sqrt_lt_R0]. generalize PI_RGT_0. lra. Qed.
Lemma sign_ok_ e : (forall c r, valid c r -> sound (sign c e) (eval r e)) /\
  match e with Mul _ d => forall c r, valid c r -> sound (sign c d) (eval r d) | _ => True end.
Proof.
  induction e as [q|s|v l|i j|e1 [IHe1 _] e2 [IHe2 _]|e1 [IHe1 _] e2 [IHe2 IHd]|f e [IHe _]|s e [IHe _]|s e [IHe _]];
    (split; [|try exact I; try exact IHe2]); intros c r Vr; cbn [sign]; match goal with |- context [known F Positive c ?e] => destruct (known F Positive c e) eqn:K end;
    try exact (known_ok Positive c r _ Vr K); clear K; cbn [Terms.eval].
  - destruct q as [[|p|p] d]; unfold Q2R; simpl; auto; [lra|].
    apply Rmult_lt_0_compat; [apply IZR_lt; lia|apply Rinv_0_lt_compat, IZR_lt; lia].
  - apply ssign_ok.
  - exact I.
  - destruct (Nat.eqb _ _); simpl; lra.
  - apply plus_sign_ok; auto.
  - generalize (times_sign_ok _ _ _ _ (IHe1 c r Vr) (IHe2 c r Vr)). destruct (times_sign (sign c e1) (sign c e2)) eqn:T; auto. intros _.
    destruct (eeq e1 e2) eqn:E; [apply eeq_ok in E; subst; apply Rle_0_sqr|].
    destruct e2; try exact I. destruct (eeq e1 e2_1) eqn:E'; [|exact I]. apply eeq_ok in E'. subst e2_1.
    cbn [Terms.eval]. rewrite <- Rmult_assoc. apply times_sign_ok; [apply Rle_0_sqr|now apply IHd].
  - specialize (IHe c r Vr). destruct f; cbn [fnR]; try exact I.
    + destruct (sign c e); simpl in *; auto; [|now apply Rinv_0_lt_compat].
      destruct IHe as [H|H]; [left; now apply Rinv_0_lt_compat|rewrite <- H, Rinv_0; lra].
    + apply exp_pos.
    + destruct (sign c e); simpl in *; try apply sqrt_pos. now apply sqrt_lt_R0.
    + simpl. unfold ind. destruct (Rlt_dec _ _); lra.
    + apply phi_pos.
  - assert (A : forall k, (k < ssz s)%nat -> sound (sign (s :: c) e) (eval (k :: r) e)) by (intros; apply IHe; now constructor).
    destruct (sign (s :: c) e); [destruct (ssign s); exact I| |].
    + destruct (ssign s); try exact I; now apply bsum_nonneg.
    + generalize (ssign_ok s). destruct (ssign s); simpl; try exact (fun _ => I).
      * intros _. apply bsum_nonneg. intros. now apply Rlt_le, A.
      * intros H. apply bsum_pos; auto. apply INR_lt. exact H.
  - exact I.
Qed.
Lemma sign_ok e c r : valid c r -> sound (sign c e) (eval r e).
Proof. apply sign_ok_. Qed.
Definition pos c e := match sign c e with Pos => true | _ => false end.
Definition nonneg c e := match sign c e with Any => false | _ => true end.
Lemma pos_ok c r e : valid c r -> pos c e = true -> 0 < eval r e.
Proof. unfold pos. intros Vr. generalize (sign_ok e c r Vr). destruct (sign c e); easy. Qed.
Lemma nonneg_ok c r e : valid c r -> nonneg c e = true -> 0 <= eval r e.
Proof. unfold nonneg. intros Vr. generalize (sign_ok e c r Vr). destruct (sign c e); simpl; try easy; lra. Qed.
Definition nz c e := pos c e || known F NonZero c e.
Lemma nz_ok c r e : valid c r -> nz c e = true -> eval r e <> 0.
Proof.
  intros Vr H. apply orb_prop in H as [H|H]; [generalize (pos_ok c r e Vr H); lra|exact (known_ok NonZero c r e Vr H)].
Qed.
End Facts.
