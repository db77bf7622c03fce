(** * Finite sums, the functions that Coq's library lacks, and how they are differentiated

    Everything that the exported theorems mention beyond Coq's reals is defined in this file: [bsum], [ind], [rmax], [phi] and [Phi].
    A reader who wants to trust a theorem reads these five definitions; the rest of the library is proved from them. *)
From Coq Require Import Reals Lra Lia List.
From Coquelicot Require Import Coquelicot.
Import ListNotations.
Open Scope R_scope.

(** The sum of [f k] over [k < n]. *)
Fixpoint bsum (n : nat) (f : nat -> R) : R :=
  match n with O => 0 | S p => bsum p f + f p end.
Notation "'∑' k < n , e" := (bsum n (fun k => e)) (at level 35, k name, n at level 9, e at level 35, right associativity).

(** The indicator of [x < 0]. *)
Definition ind (x : R) : R := if Rlt_dec x 0 then 1 else 0.

(** The largest [f k] over [k < n], for [n > 0]. *)
Fixpoint rmax (n : nat) (f : nat -> R) : R :=
  match n with O => 0 | S O => f O | S p => Rmax (rmax p f) (f p) end.

(** The density and the distribution function of the standard normal distribution; the integral is over [0, x], to which 1/2 is added. *)
Definition phi (x : R) : R := exp (- (x * x) / 2) / sqrt (2 * PI).
Definition Phi (x : R) : R := / 2 + RInt phi 0 x.

(** ** Sums *)
Lemma bsum_ext n f g : (forall k, (k < n)%nat -> f k = g k) -> bsum n f = bsum n g.
Proof. induction n; simpl; intros H; [easy|]. rewrite IHn, H; auto. Qed.
Lemma bsum_plus n f g : bsum n (fun k => f k + g k) = bsum n f + bsum n g.
Proof. induction n; simpl; [|rewrite IHn]; ring. Qed.
Lemma bsum_scal_l n c f : bsum n (fun k => c * f k) = c * bsum n f.
Proof. induction n; simpl; [|rewrite IHn]; ring. Qed.
Lemma bsum_scal_r n c f : bsum n (fun k => f k * c) = bsum n f * c.
Proof. induction n; simpl; [|rewrite IHn]; ring. Qed.
Lemma bsum_const n c : bsum n (fun _ => c) = INR n * c.
Proof. induction n; simpl bsum; [simpl; ring|]. rewrite IHn, S_INR. ring. Qed.
Lemma bsum_zero n : bsum n (fun _ => 0) = 0.
Proof. rewrite bsum_const; ring. Qed.
Lemma bsum_swap m n f : bsum m (fun i => bsum n (fun j => f i j)) = bsum n (fun j => bsum m (fun i => f i j)).
Proof. induction m; simpl; [now rewrite bsum_zero|]. now rewrite IHm, <- bsum_plus. Qed.
Lemma bsum_nonneg n f : (forall k, (k < n)%nat -> 0 <= f k) -> 0 <= bsum n f.
Proof. induction n; simpl; intros H; [lra|]. generalize (H n (Nat.lt_succ_diag_r n)). enough (0 <= bsum n f) by lra. auto. Qed.
Lemma bsum_pos n f : (0 < n)%nat -> (forall k, (k < n)%nat -> 0 < f k) -> 0 < bsum n f.
Proof.
  intros Hn H. destruct n; [lia|]. simpl. generalize (H n (Nat.lt_succ_diag_r n)).
  enough (0 <= bsum n f) by lra. apply bsum_nonneg. intros. apply Rlt_le. auto.
Qed.
(** A sum in which only the term of [a] is not 0. *)
Lemma bsum_one n a f : (a < n)%nat -> bsum n (fun k => (if Nat.eqb k a then 1 else 0) * f k) = f a.
Proof.
  induction n; intros H; [lia|]. simpl. destruct (PeanoNat.Nat.eqb_spec n a) as [->|N].
  - rewrite (bsum_ext a _ (fun _ => 0)); [rewrite bsum_zero; ring|]. intros k K. destruct (PeanoNat.Nat.eqb_spec k a); [lia|ring].
  - rewrite IHn by lia. ring.
Qed.

Lemma rmax_ext n f g : (forall k, (k < n)%nat -> f k = g k) -> rmax n f = rmax n g.
Proof. induction n as [|[|n] IH]; intros H; auto; [now apply H; auto|]. change (Rmax (rmax (S n) f) (f (S n)) = Rmax (rmax (S n) g) (g (S n))). rewrite IH, H; auto. Qed.

(** Sums over several indices: [l] runs through the lists of numbers below the sizes. *)
Fixpoint bsums (P : list nat) (f : list nat -> R) : R :=
  match P with [] => f [] | n :: P => bsum n (fun k => bsums P (fun l => f (k :: l))) end.
Lemma bsums_ext P : forall f g, (forall l, Forall2 (fun k n => k < n)%nat l P -> f l = g l) -> bsums P f = bsums P g.
Proof. induction P; simpl; intros f g H; [now apply H|]. apply bsum_ext. intros k K. apply IHP. intros l L. apply H. now constructor. Qed.
Lemma bsums_plus P : forall f g, bsums P (fun l => f l + g l) = bsums P f + bsums P g.
Proof. induction P; simpl; intros; auto. rewrite <- bsum_plus. apply bsum_ext. auto. Qed.
Lemma bsums_scal P : forall c f, bsums P (fun l => c * f l) = c * bsums P f.
Proof. induction P; simpl; intros; auto. rewrite <- bsum_scal_l. apply bsum_ext. auto. Qed.
Lemma bsums_zero P : bsums P (fun _ => 0) = 0.
Proof. induction P; simpl; auto. rewrite (bsum_ext _ _ (fun _ => 0)); auto. apply bsum_zero. Qed.
Lemma bsum_bsums P : forall n f, bsum n (fun k => bsums P (f k)) = bsums P (fun l => bsum n (fun k => f k l)).
Proof. induction P; simpl; intros; auto. rewrite bsum_swap. apply bsum_ext. intros k _. exact (IHP n (fun q l => f q (k :: l))). Qed.

(** ** Indicators *)
Lemma ind_idem x : ind x * ind x = ind x.
Proof. unfold ind. destruct (Rlt_dec x 0); lra. Qed.
Lemma ind_scale c x : 0 < c -> ind (c * x) = ind x.
Proof. intros H. unfold ind. destruct (Rlt_dec (c * x) 0), (Rlt_dec x 0); auto; exfalso; nra. Qed.
Lemma ind_opp x : x <> 0 -> ind (- x) = 1 - ind x.
Proof. intros H. unfold ind. destruct (Rlt_dec (- x) 0), (Rlt_dec x 0); lra. Qed.
Lemma ind_nonneg x : 0 <= x -> ind x = 0.
Proof. unfold ind. destruct (Rlt_dec x 0); lra. Qed.
Lemma ind_implied x y : y <= x -> ind x * ind y = ind x.
Proof. unfold ind. destruct (Rlt_dec x 0), (Rlt_dec y 0); lra. Qed.
Lemma ind_disjoint x y : 0 <= x + y -> ind x * ind y = 0.
Proof. unfold ind. destruct (Rlt_dec x 0), (Rlt_dec y 0); lra. Qed.

(** ** Derivatives, in the form in which they are used: along curves from R to R *)
Lemma dconst (c x : R) : is_derive (fun _ : R => c) x 0.
Proof. apply (is_derive_const (K := R_AbsRing) (V := R_NormedModule)). Qed.
Lemma dplus (f g : R -> R) x a b : is_derive f x a -> is_derive g x b -> is_derive (fun t => f t + g t) x (a + b).
Proof. exact (is_derive_plus f g x a b). Qed.
Lemma dmult (f g : R -> R) x a b : is_derive f x a -> is_derive g x b -> is_derive (fun t => f t * g t) x (a * g x + f x * b).
Proof. exact (Derive.is_derive_mult f g x a b). Qed.
Lemma dcomp (f g : R -> R) x a b : is_derive f (g x) a -> is_derive g x b -> is_derive (fun t => f (g t)) x (a * b).
Proof.
  intros Hf Hg. replace (a * b) with (scal b a); [now apply (is_derive_comp f g)|].
  unfold scal; simpl; unfold mult; simpl; ring.
Qed.
Lemma dext (f g : R -> R) x a : (forall t, f t = g t) -> is_derive f x a -> is_derive g x a.
Proof. exact (is_derive_ext f g x a). Qed.
Lemma dbsum n (f : nat -> R -> R) x d :
  (forall k, (k < n)%nat -> is_derive (f k) x (d k)) -> is_derive (fun t => bsum n (fun k => f k t)) x (bsum n d).
Proof. induction n; simpl; intros H; [apply dconst|]. apply dplus; [apply IHn|apply H]; auto. Qed.

(** Off its jump an indicator has the derivative 0. *)
Lemma dind x : x <> 0 -> is_derive ind x 0.
Proof.
  intros H. destruct (Rlt_dec x 0) as [L|L].
  - apply (is_derive_ext_loc (fun _ => 1)); [|apply dconst]. apply (locally_interval _ x m_infty 0); simpl; auto.
    intros y _ Hy. unfold ind. destruct (Rlt_dec y 0); auto; lra.
  - apply (is_derive_ext_loc (fun _ => 0)); [|apply dconst]. apply (locally_interval _ x 0 p_infty); simpl; auto; [lra|].
    intros y Hy _. unfold ind. destruct (Rlt_dec y 0); auto; lra.
Qed.
(** φ' = -x φ and Φ' = φ, by the fundamental theorem of calculus. *)
Lemma dphi x : is_derive phi x (- x * phi x).
Proof. unfold phi. auto_derive; auto. unfold Rdiv. field. apply Rgt_not_eq, sqrt_lt_R0. generalize PI_RGT_0. lra. Qed.
Lemma dPhi x : is_derive Phi x (phi x).
Proof.
  assert (C : forall y, continuous phi y) by (intros y; apply (ex_derive_continuous phi); eexists; apply dphi).
  unfold Phi. replace (phi x) with (0 + phi x) by ring. apply dplus; [apply dconst|].
  apply (is_derive_RInt phi (fun y => RInt phi 0 y) 0 x); [|apply C].
  exists (mkposreal 1 Rlt_0_1). intros y _. apply (RInt_correct (V := R_CompleteNormedModule)), (ex_RInt_continuous (V := R_CompleteNormedModule)).
  intros; apply C.
Qed.
