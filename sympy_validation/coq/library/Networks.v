(** * Networks of any depth

    What the exported theorems say of single layers is put together here, for all networks: [network_ok] by induction over the layers. Only
    [Sums] is needed. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums.
Open Scope R_scope.

Definition matrix := nat -> nat -> R.

(** The inner product ⟨A, B⟩ of m x n matrices. *)
Definition inner (m n : nat) (A B : matrix) : R := ∑ i < m, ∑ j < n, (A i j * B i j).

(** At the time 0 the elements of X have the velocities dX. *)
Definition moves (m n : nat) (X : R -> matrix) (dX : matrix) : Prop :=
  forall i, (i < m)%nat -> forall j, (j < n)%nat -> is_derive (fun t => X t i j) 0 (dX i j).

(** What a gradient is: however X moves, ⟨DY, f X⟩ changes at the rate ⟨back X DY, dX⟩, for every DY. X is m x n, and f X is p x q. *)
Definition right (m n p q : nat) (f : matrix -> matrix) (back : matrix -> matrix -> matrix) : Prop :=
  forall X dX, moves m n X dX -> forall DY, is_derive (fun t => inner p q DY (f (X t))) 0 (inner m n (back (X 0) DY) dX).

(** ** Inner products *)
Definition plus (A B : matrix) : matrix := fun i j => A i j + B i j.
Definition zero : matrix := fun _ _ => 0.
(** The matrix whose only 1 is in row a and column b. *)
Definition unit (a b : nat) : matrix := fun i j => (if Nat.eqb i a then 1 else 0) * (if Nat.eqb j b then 1 else 0).

Lemma inner_plus m n A B C : inner m n (plus A B) C = inner m n A C + inner m n B C.
Proof.
  unfold inner, plus. rewrite <- bsum_plus. apply bsum_ext. intros i _. rewrite <- bsum_plus. apply bsum_ext. intros. ring.
Qed.
Lemma inner_zero m n A : inner m n zero A = 0.
Proof.
  unfold inner, zero. rewrite (bsum_ext m _ (fun _ => 0)); [apply bsum_zero|].
  intros. rewrite (bsum_ext n _ (fun _ => 0)); [apply bsum_zero|]. intros. ring.
Qed.
Lemma inner_unit m n a b A : (a < m)%nat -> (b < n)%nat -> inner m n (unit a b) A = A a b.
Proof.
  intros Ha Hb. unfold inner, unit.
  rewrite (bsum_ext m _ (fun i => (if Nat.eqb i a then 1 else 0) * A i b)); [exact (bsum_one m a (fun i => A i b) Ha)|].
  intros i _. rewrite <- (bsum_one n b (A i) Hb), <- bsum_scal_l. apply bsum_ext. intros. ring.
Qed.
Lemma inner_moves m n A X dX : moves m n X dX -> is_derive (fun t => inner m n A (X t)) 0 (inner m n A dX).
Proof.
  intros H. unfold inner. apply (dbsum m (fun i t => ∑ j < n, (A i j * X t i j))). intros i Hi.
  apply (dbsum n (fun j t => A i j * X t i j)). intros j Hj.
  replace (A i j * dX i j) with (0 * X 0 i j + A i j * dX i j) by ring. apply dmult; [apply dconst|now apply H].
Qed.
(** The first term of a sum, apart. *)
Lemma bsum_first n f : bsum (S n) f = f O + bsum n (fun k => f (S k)).
Proof. induction n; [simpl; ring|]. change (bsum (S n) f + f (S n) = f O + bsum (S n) (fun k => f (S k))). rewrite IHn. simpl. ring. Qed.
(** A rate is one number. *)
Lemma rate_unique (f : R -> R) a b : is_derive f 0 a -> is_derive f 0 b -> a = b.
Proof. intros A B. now rewrite <- (is_derive_unique f 0 a A), <- (is_derive_unique f 0 b B). Qed.

(** If ⟨DY, Y⟩ changes at a rate for every DY, the elements of Y move, and the rate is ⟨DY, dY⟩. *)
Lemma moves_of_rates p q (Y : R -> matrix) (rate : matrix -> R) :
  (forall DY, is_derive (fun t => inner p q DY (Y t)) 0 (rate DY)) ->
  exists dY, moves p q Y dY /\ forall DY, rate DY = inner p q DY dY.
Proof.
  intros H. exists (fun a b => rate (unit a b)).
  assert (M : moves p q Y (fun a b => rate (unit a b))).
  { intros a Ha b Hb. apply (dext (fun t => inner p q (unit a b) (Y t))); [intros t; now apply inner_unit|apply H]. }
  split; [exact M|]. intros DY. apply (rate_unique (fun t => inner p q DY (Y t))); [apply H|now apply inner_moves].
Qed.

(** ** Layers put together *)
Lemma identity_right m n : right m n m n (fun X => X) (fun _ DY => DY).
Proof. intros X dX H DY. now apply inner_moves. Qed.

(** One after the other. *)
Lemma composed_right m n p q r s f bf g bg :
  right m n p q f bf -> right p q r s g bg -> right m n r s (fun X => g (f X)) (fun X DZ => bf X (bg (f X) DZ)).
Proof.
  intros F G X dX H DZ. destruct (moves_of_rates p q (fun t => f (X t)) _ (F X dX H)) as [dY [M E]].
  specialize (G _ _ M DZ). simpl in G. now rewrite <- E in G.
Qed.

(** Side by side, added up: with the identity, a residual block. *)
Lemma sum_right m n p q f bf g bg :
  right m n p q f bf -> right m n p q g bg -> right m n p q (fun X => plus (f X) (g X)) (fun X DY => plus (bf X DY) (bg X DY)).
Proof.
  intros F G X dX H DY. rewrite inner_plus.
  apply (dext (fun t => inner p q DY (f (X t)) + inner p q DY (g (X t)))); [|apply dplus; [now apply F|now apply G]].
  intros t. unfold inner, plus. rewrite <- bsum_plus. apply bsum_ext. intros i _. rewrite <- bsum_plus. apply bsum_ext. intros. ring.
Qed.
Corollary residual_right m n f bf :
  right m n m n f bf -> right m n m n (fun X => plus X (f X)) (fun X DY => plus DY (bf X DY)).
Proof. intros F. exact (sum_right m n m n _ _ _ _ (identity_right m n) F). Qed.

(** A transformer block in the order in which most are trained: Z = X + A(n1(X)), Y = Z + M(n2(Z)), for any right layers A, M, n1 and n2. *)
Definition block (n1 A n2 M : matrix -> matrix) (X : matrix) : matrix :=
  let Z := plus X (A (n1 X)) in plus Z (M (n2 Z)).
Definition block_back (n1 : matrix -> matrix) (bn1 : matrix -> matrix -> matrix) (A : matrix -> matrix) (bA : matrix -> matrix -> matrix)
    (n2 : matrix -> matrix) (bn2 bM : matrix -> matrix -> matrix) (X DY : matrix) : matrix :=
  let Z := plus X (A (n1 X)) in
  let DZ := plus DY (bn2 Z (bM (n2 Z) DY)) in
  plus DZ (bn1 X (bA (n1 X) DZ)).
Theorem block_ok m n k l n1 bn1 A bA n2 bn2 M bM :
  right m n m k n1 bn1 -> right m k m n A bA -> right m n m l n2 bn2 -> right m l m n M bM ->
  right m n m n (block n1 A n2 M) (block_back n1 bn1 A bA n2 bn2 bM).
Proof.
  intros N1 HA N2 HM. unfold block, block_back.
  exact (composed_right _ _ _ _ _ _ _ _ _ _
    (residual_right _ _ _ _ (composed_right _ _ _ _ _ _ _ _ _ _ N1 HA)) (residual_right _ _ _ _ (composed_right _ _ _ _ _ _ _ _ _ _ N2 HM))).
Qed.

(** ** A network: the layers f 0, f 1, ..., of which layer i takes r i x c i matrices to r (i + 1) x c (i + 1) matrices *)
Fixpoint forward (f : nat -> matrix -> matrix) (depth : nat) (X : matrix) : matrix :=
  match depth with O => X | S i => f i (forward f i X) end.
(** The gradient goes through the layers from the last to the first; each is given the input that it had. *)
Fixpoint backward (f : nat -> matrix -> matrix) (back : nat -> matrix -> matrix -> matrix) (depth : nat) (X DY : matrix) : matrix :=
  match depth with O => DY | S i => backward f back i X (back i (forward f i X) DY) end.

Theorem network_ok (r c : nat -> nat) f back depth :
  (forall i, (i < depth)%nat -> right (r i) (c i) (r (S i)) (c (S i)) (f i) (back i)) ->
  right (r O) (c O) (r depth) (c depth) (forward f depth) (backward f back depth).
Proof.
  induction depth; intros H; [apply identity_right|].
  refine (composed_right _ _ (r depth) (c depth) _ _ (forward f depth) (backward f back depth) (f depth) (back depth) _ (H depth _)); [|lia].
  apply IHdepth. intros. apply H. lia.
Qed.

(** The gradient with respect to a parameter theta (a x b) of a layer g before the layers f 0, f 1, ...: that of the layer, given what comes
    back from these. X is what the layer is given. *)
Theorem parameter_ok (r c : nat -> nat) f back depth a b (g : matrix -> matrix -> matrix) back_theta (X : matrix) :
  (forall i, (i < depth)%nat -> right (r i) (c i) (r (S i)) (c (S i)) (f i) (back i)) ->
  right a b (r O) (c O) (fun theta => g theta X) (fun theta DY => back_theta theta X DY) ->
  right a b (r depth) (c depth) (fun theta => forward f depth (g theta X))
    (fun theta DY => back_theta theta X (backward f back depth (g theta X) DY)).
Proof.
  intros H G. exact (composed_right _ _ _ _ _ _ (fun theta => g theta X) (fun theta DY => back_theta theta X DY) _ _ G (network_ok r c f back depth H)).
Qed.
