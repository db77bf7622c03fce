(** * Recurrences of any length

    [recurrence_ok] is backpropagation through time, for any step whose own gradients are right, by induction over the steps;
    [cell_step_right] makes such a step of a cell, as those of an LSTM and of a GRU, and of the products before it. *)
From Coq Require Import Reals Lra Lia List.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums Networks.
Open Scope R_scope.

(** ** Spaces: numbers, and families and pairs of what moves already

    Parameters are several matrices, and so is the state of an LSTM. A space has an inner product, and knows what it means to move. *)
Record space := Space {
  carrier :> Type;
  inner_of : carrier -> carrier -> R;
  moves_of : (R -> carrier) -> carrier -> Prop;
  plus_of : carrier -> carrier -> carrier;
  zero_of : carrier;
  plus_law : forall A B C, inner_of (plus_of A B) C = inner_of A C + inner_of B C;
  zero_law : forall A, inner_of zero_of A = 0;
  moves_law : forall A X dX, moves_of X dX -> is_derive (fun t => inner_of A (X t)) 0 (inner_of A dX);
  rates_law : forall Y rate, (forall DY, is_derive (fun t => inner_of DY (Y t)) 0 (rate DY)) -> exists dY, moves_of Y dY }.
Arguments inner_of {s}. Arguments moves_of {s}. Arguments plus_of {s}. Arguments zero_of {s}.
Notation "⟨ A , B ⟩" := (inner_of A B).

Definition numbers : space.
Proof.
  refine (Space R Rmult (fun X dX => is_derive X 0 dX) Rplus 0 _ _ _ _).
  - intros. ring.
  - intros. ring.
  - intros A X dX H. replace (A * dX) with (0 * X 0 + A * dX) by ring. apply dmult; [apply dconst|exact H].
  - intros Y rate H. exists (rate 1). apply (dext (fun t => 1 * Y t)); [intros; ring|apply H].
Defined.

Lemma finite_choice {A} (n : nat) (P : nat -> A -> Prop) (a : A) :
  (forall k, (k < n)%nat -> exists x, P k x) -> exists f, forall k, (k < n)%nat -> P k (f k).
Proof.
  induction n; intros H; [exists (fun _ => a); lia|]. destruct IHn as [f F]; [auto|]. destruct (H n) as [x X]; [lia|].
  exists (fun k => if Nat.eqb k n then x else f k). intros k K. destruct (PeanoNat.Nat.eqb_spec k n) as [->|]; [exact X|apply F; lia].
Qed.
Definition family (n : nat) (S : space) : space.
Proof.
  refine (Space (nat -> S) (fun A B => ∑ k < n, inner_of (A k) (B k)) (fun X dX => forall k, (k < n)%nat -> moves_of (fun t => X t k) (dX k))
    (fun A B k => plus_of (A k) (B k)) (fun _ => zero_of) _ _ _ _).
  - intros. rewrite <- bsum_plus. apply bsum_ext. intros. apply plus_law.
  - intros. rewrite (bsum_ext n _ (fun _ => 0)); [apply bsum_zero|]. intros. apply zero_law.
  - intros A X dX H. apply (dbsum n (fun k t => inner_of (A k) (X t k))). intros k K. now apply moves_law, H.
  - intros Y rate H. apply (finite_choice n (fun k d => moves_of (fun t => Y t k) d) zero_of). intros k K.
    apply (rates_law S _ (fun D => rate (fun i => if Nat.eqb i k then D else zero_of))). intros D.
    refine (dext _ _ _ _ _ (H (fun i => if Nat.eqb i k then D else zero_of))). intros t.
    rewrite <- (bsum_one n k (fun i => inner_of D (Y t i)) K). apply bsum_ext. intros i _. destruct (Nat.eqb i k); [ring|].
    rewrite zero_law. ring.
Defined.
Definition pair_of (S T : space) : space.
Proof.
  refine (Space (S * T) (fun A B => inner_of (fst A) (fst B) + inner_of (snd A) (snd B))
    (fun X dX => moves_of (fun t => fst (X t)) (fst dX) /\ moves_of (fun t => snd (X t)) (snd dX))
    (fun A B => (plus_of (fst A) (fst B), plus_of (snd A) (snd B))) (zero_of, zero_of) _ _ _ _).
  - intros. simpl. rewrite !plus_law. ring.
  - intros. simpl. rewrite !zero_law. ring.
  - intros A X dX [H K]. apply dplus; now apply moves_law.
  - intros Y rate H.
    destruct (rates_law S (fun t => fst (Y t)) (fun D => rate (D, zero_of))) as [a A].
    { intros D. refine (dext _ _ _ _ _ (H (D, zero_of))). intros t. simpl. rewrite zero_law. ring. }
    destruct (rates_law T (fun t => snd (Y t)) (fun D => rate (zero_of, D))) as [b B].
    { intros D. refine (dext _ _ _ _ _ (H (zero_of, D))). intros t. simpl. rewrite zero_law. ring. }
    exists (a, b). now split.
Defined.
(** Arrays with indices below these sizes: [tensor [m; n]] are the m x n matrices. *)
Fixpoint tensor (P : list nat) : space := match P with nil => numbers | cons n P => family n (tensor P) end.

(** ** A recurrence: (Y_t, S_{t+1}) = f theta S_t X_t, over any number of steps *)
Section Recurrence.
Variables Theta State Input Output : space.
Variable f : Theta -> State -> Input -> Output * State.
Variable back : Theta -> State -> Input -> Output -> State -> Theta * (State * Input).

(** A step is right if it makes, of the gradients of Y and of the state after it, those of theta, of the state before it and of X, while all of
    these move at once. *)
Definition step_right : Prop :=
  forall theta dtheta s ds X dX, moves_of theta dtheta -> moves_of s ds -> moves_of X dX -> forall DY DS,
  let D := back (theta 0) (s 0) (X 0) DY DS in
  is_derive (fun t => ⟨DY, fst (f (theta t) (s t) (X t))⟩ + ⟨DS, snd (f (theta t) (s t) (X t))⟩) 0
    (⟨fst D, dtheta⟩ + (⟨fst (snd D), ds⟩ + ⟨snd (snd D), dX⟩)).

(** What comes after wants the gradient [DY t] of each output, and [Dend] of the last state. *)
Variables (DY : nat -> Output) (Dend : State).
Fixpoint objective (steps t : nat) (theta : Theta) (s : State) (X : nat -> Input) : R := match steps with
  | O => ⟨Dend, s⟩
  | S n => ⟨DY t, fst (f theta s (X t))⟩ + objective n (S t) theta (snd (f theta s (X t))) X end.
(** Backpropagation through time: the gradients of theta, of the state, and of the input of each step. *)
Fixpoint through_time (steps t : nat) (theta : Theta) (s : State) (X : nat -> Input) : Theta * (State * (nat -> Input)) := match steps with
  | O => (zero_of, (Dend, fun _ => zero_of))
  | S n =>
      let later := through_time n (S t) theta (snd (f theta s (X t))) X in
      let D := back theta s (X t) (DY t) (fst (snd later)) in
      (plus_of (fst D) (fst later), (fst (snd D), fun u => if Nat.eqb u t then snd (snd D) else snd (snd later) u)) end.

Theorem recurrence_ok : step_right -> forall steps t theta dtheta s ds X dX,
  moves_of theta dtheta -> moves_of s ds -> (forall u, moves_of (fun r => X r u) (dX u)) ->
  let D := through_time steps t (theta 0) (s 0) (X 0) in
  is_derive (fun r => objective steps t (theta r) (s r) (X r)) 0
    (⟨fst D, dtheta⟩ + (⟨fst (snd D), ds⟩ + ∑ k < steps, ⟨snd (snd D) (t + k)%nat, dX (t + k)%nat⟩)).
Proof.
  intros step. induction steps as [|n IH]; intros t theta dtheta s ds X dX Mtheta Ms MX; cbv zeta.
  - simpl. rewrite zero_law, Rplus_0_l, Rplus_0_r. now apply moves_law.
  - set (after := fun r => f (theta r) (s r) (X r t)).
    destruct (rates_law (pair_of Output State) after _ (fun D => step _ _ _ _ _ _ Mtheta Ms (MX t) (fst D) (snd D))) as [dafter [MY MS]].
    specialize (IH (S t) theta dtheta _ (snd dafter) X dX Mtheta MS MX). cbv zeta in IH.
    cbn [through_time objective]. cbv zeta. fold (after 0).
    set (later := through_time n (S t) (theta 0) (snd (after 0)) (X 0)) in *.
    pose proof (step _ _ _ _ _ _ Mtheta Ms (MX t) (DY t) (fst (snd later))) as here. cbv zeta in here. fold (after 0) in here.
    set (D := back (theta 0) (s 0) (X 0 t) (DY t) (fst (snd later))) in *.
    pose proof (rate_unique _ _ _ here (dplus _ _ 0 _ _ (moves_law Output (DY t) _ _ MY) (moves_law State (fst (snd later)) _ _ MS))) as E.
    replace (⟨fst (plus_of (fst D) (fst later), (fst (snd D), fun u => if Nat.eqb u t then snd (snd D) else snd (snd later) u)), dtheta⟩ + _)
      with (⟨DY t, fst dafter⟩ + (⟨fst later, dtheta⟩ + (⟨fst (snd later), snd dafter⟩
        + ∑ k < n, ⟨snd (snd later) (S t + k)%nat, dX (S t + k)%nat⟩))).
    + apply dplus; [exact (moves_law Output (DY t) _ _ MY)|exact IH].
    + assert (L : (∑ k < n, ⟨(if Nat.eqb (t + S k) t then snd (snd D) else snd (snd later) (t + S k)%nat), dX (t + S k)%nat⟩)
        = ∑ k < n, ⟨snd (snd later) (S t + k)%nat, dX (S t + k)%nat⟩).
      { apply bsum_ext. intros k _. replace (t + S k)%nat with (S t + k)%nat by lia. destruct (PeanoNat.Nat.eqb_spec (S t + k) t); [lia|easy]. }
      cbn [fst snd]. rewrite plus_law, (bsum_first n), Nat.add_0_r, Nat.eqb_refl. cbv beta. rewrite L. lra.
Qed.
End Recurrence.

(** ** A recurrence around a cell: S' = cell (X · Wᵀ + 1 · b) (H · Uᵀ + 1 · c) S, where H is a part of the state S

    A row of A = X · Wᵀ + 1 · b has indices below [P], such as [[4; K]] for four gates, and each is the product of the row of X with D numbers
    of W. *)
Fixpoint product (P : list nat) (D : nat) : tensor (P ++ D :: nil) -> tensor P -> (nat -> R) -> tensor P := match P with
  | nil => fun W b x => ((∑ d < D, (x d * W d)) + b)%R
  | cons n P => fun W b x k => product P D (W k) (b k) x end.
Fixpoint product_DW (P : list nat) (D : nat) : tensor P -> (nat -> R) -> tensor (P ++ D :: nil) := match P with
  | nil => fun DA x d => DA * x d
  | cons n P => fun DA x k => product_DW P D (DA k) x end.
Fixpoint product_DX (P : list nat) (D : nat) : tensor (P ++ D :: nil) -> tensor P -> nat -> R := match P with
  | nil => fun W DA d => DA * W d
  | cons n P => fun W DA d => ∑ k < n, product_DX P D (W k) (DA k) d end.
Lemma product_right P D : forall W dW b db x dx,
  moves_of (s := tensor (P ++ D :: nil)) W dW -> moves_of (s := tensor P) b db -> moves_of (s := tensor (D :: nil)) x dx -> forall DA : tensor P,
  is_derive (fun t => inner_of DA (product P D (W t) (b t) (x t))) 0
    (inner_of (s := tensor (P ++ D :: nil)) (product_DW P D DA (x 0)) dW + (inner_of DA db + ∑ d < D, (product_DX P D (W 0) DA d * dx d))).
Proof.
  induction P as [|n P IH]; intros W dW b db x dx MW Mb Mx DA.
  - assert (M : is_derive (fun t => DA * ((∑ d < D, (x t d * W t d)) + b t)) 0
      (0 * ((∑ d < D, (x 0 d * W 0 d)) + b 0) + DA * ((∑ d < D, (dx d * W 0 d + x 0 d * dW d)) + db))).
    { apply (dmult (fun _ => DA) (fun t => (∑ d < D, (x t d * W t d)) + b t) 0 0); [apply dconst|].
      apply (dplus (fun t => ∑ d < D, (x t d * W t d)) b); [|exact Mb].
      apply (dbsum D (fun d t => x t d * W t d)). intros d Hd.
      apply (dmult (fun t => x t d) (fun t => W t d)); [exact (Mx d Hd)|exact (MW d Hd)]. }
    refine (eq_ind _ (is_derive _ 0) M _ _). simpl.
    rewrite bsum_plus, (bsum_ext D (fun d => DA * W 0 d * dx d) (fun d => DA * (dx d * W 0 d))) by (intros; ring).
    rewrite (bsum_ext D (fun d => DA * x 0 d * dW d) (fun d => DA * (x 0 d * dW d))) by (intros; ring). rewrite !bsum_scal_l. ring.
  - simpl in *.
    replace (_ + (_ + (∑ d < D, _))) with (∑ k < n, (inner_of (s := tensor (P ++ D :: nil)) (product_DW P D (DA k) (x 0)) (dW k)
      + (inner_of (DA k) (db k) + ∑ d < D, (product_DX P D (W 0 k) (DA k) d * dx d)))).
    + apply (dbsum n (fun k t => inner_of (DA k) (product P D (W t k) (b t k) (x t)))). intros k Hk.
      apply (IH (fun t => W t k) (dW k) (fun t => b t k) (db k)); auto.
    + rewrite !bsum_plus. f_equal. f_equal. rewrite bsum_swap. apply bsum_ext. intros. now rewrite bsum_scal_r.
Qed.

(** The sum of n elements of a space. *)
Fixpoint added {S : space} (n : nat) (f : nat -> S) : S := match n with O => zero_of | Datatypes.S k => plus_of (added k f) (f k) end.
Lemma added_inner {S : space} n (f : nat -> S) A : ⟨added n f, A⟩ = ∑ k < n, ⟨f k, A⟩.
Proof. induction n; simpl; [apply zero_law|]. now rewrite plus_law, IHn. Qed.

Section Cell.
Variables (N D K : nat) (P : list nat) (State : space).
Notation rows := (family N (tensor P)).
Notation weights D := (tensor (P ++ D :: nil)).
(** The part H of the state, and the gradient of the state, given that of H. *)
Variables (part : State -> tensor (N :: K :: nil)) (whole : tensor (N :: K :: nil) -> State).
Hypothesis part_moves : forall s ds, moves_of s ds -> moves_of (fun t => part (s t)) (part ds).
Hypothesis whole_ok : forall G s, ⟨whole G, s⟩ = ⟨G, part s⟩.
Variables (cell : rows -> rows -> State -> State) (cell_back : rows -> rows -> State -> State -> rows * (rows * State)).

(** A cell is right if the gradients that it gives back are, while A, B and the state move at once. *)
Definition cell_right : Prop :=
  forall A dA B dB s ds, moves_of A dA -> moves_of B dB -> moves_of s ds -> forall DS,
  let G := cell_back (A 0) (B 0) (s 0) DS in
  is_derive (fun t => ⟨DS, cell (A t) (B t) (s t)⟩) 0 (⟨fst G, dA⟩ + (⟨fst (snd G), dB⟩ + ⟨snd (snd G), ds⟩)).

(** The parameters are ((W, b), (U, c)). *)
Definition parameters := pair_of (pair_of (weights D) (tensor P)) (pair_of (weights K) (tensor P)).
Definition linear {E} (theta : pair_of (weights E) (tensor P)) (X : tensor (N :: E :: nil)) : rows := fun n => product P E (fst theta) (snd theta) (X n).
Definition linear_back {E} (X : tensor (N :: E :: nil)) (DA : rows) : pair_of (weights E) (tensor P) :=
  (added N (fun n => product_DW P E (DA n) (X n)), added N DA).
Definition linear_DX {E} (theta : pair_of (weights E) (tensor P)) (DA : rows) : tensor (N :: E :: nil) := fun n => product_DX P E (fst theta) (DA n).
Lemma linear_right {E} theta dtheta (X : R -> tensor (N :: E :: nil)) dX : moves_of theta dtheta -> moves_of X dX -> forall DA,
  is_derive (fun t => ⟨DA, linear (theta t) (X t)⟩) 0 (⟨linear_back (X 0) DA, dtheta⟩ + ⟨linear_DX (theta 0) DA, dX⟩).
Proof.
  intros [MW Mb] MX DA.
  replace (_ + _) with (∑ n < N, (⟨product_DW P E (DA n) (X 0 n), fst dtheta⟩ + (⟨DA n, snd dtheta⟩
    + ∑ d < E, (product_DX P E (fst (theta 0)) (DA n) d * dX n d)))).
  - apply (dbsum N (fun n t => ⟨DA n, product P E (fst (theta t)) (snd (theta t)) (X t n)⟩)). intros n Hn.
    exact (product_right P E _ _ _ _ (fun t => X t n) (dX n) MW Mb (MX n Hn) (DA n)).
  - rewrite !bsum_plus. rewrite <- Rplus_assoc. f_equal.
    change (⟨linear_back (X 0) DA, dtheta⟩) with (⟨added N (fun n => product_DW P E (DA n) (X 0 n)), fst dtheta⟩ + ⟨added N DA, snd dtheta⟩).
    now rewrite !added_inner.
Qed.

(** The step of the recurrence. Its output is the state after it. *)
Definition forward (theta : parameters) (s : State) (X : tensor (N :: D :: nil)) : State * State :=
  let after := cell (linear (fst theta) X) (linear (snd theta) (part s)) s in (after, after).
Definition backward (theta : parameters) (s : State) (X : tensor (N :: D :: nil)) (DY DS : State) : parameters * (State * tensor (N :: D :: nil)) :=
  let G := cell_back (linear (fst theta) X) (linear (snd theta) (part s)) s (plus_of DY DS) in
  let DA := fst G in let DB := fst (snd G) in
  ((linear_back X DA, linear_back (part s) DB), (plus_of (snd (snd G)) (whole (linear_DX (snd theta) DB)), linear_DX (fst theta) DA)).
Lemma cell_step_right : cell_right -> step_right parameters State (tensor (N :: D :: nil)) State forward backward.
Proof.
  intros cell_ok theta dtheta s ds X dX [MA MB] Ms MX DY DS found.
  destruct (rates_law rows _ _ (linear_right _ _ _ _ MA MX)) as [dA HA].
  destruct (rates_law rows _ _ (linear_right _ _ _ _ MB (part_moves _ _ Ms))) as [dB HB].
  pose proof (cell_ok _ _ _ _ _ _ HA HB Ms (plus_of DY DS)) as C. cbv zeta in C.
  unfold found, backward, forward. cbv zeta. cbn [fst snd].
  set (G := cell_back _ _ _ _) in *.
  pose proof (rate_unique _ _ _ (linear_right _ _ _ _ MA MX (fst G)) (moves_law rows (fst G) _ _ HA)) as EA.
  pose proof (rate_unique _ _ _ (linear_right _ _ _ _ MB (part_moves _ _ Ms) (fst (snd G))) (moves_law rows (fst (snd G)) _ _ HB)) as EB.
  rewrite plus_law, whole_ok.
  change (inner_of (s := parameters) (?a, ?b) dtheta) with (⟨a, fst dtheta⟩ + ⟨b, snd dtheta⟩).
  replace (_ + _) with (⟨fst G, dA⟩ + (⟨fst (snd G), dB⟩ + ⟨snd (snd G), ds⟩)) by (rewrite <- EA, <- EB; ring).
  refine (dext _ _ _ _ _ C). intros t. apply plus_law.
Qed.
End Cell.

(** A state of two parts, of which the first is H. *)
Lemma first_moves (S T : space) (s : R -> pair_of S T) ds : moves_of s ds -> moves_of (fun t => fst (s t)) (fst ds).
Proof. intros [M _]. exact M. Qed.
Lemma first_ok (S T : space) (G : S) (s : pair_of S T) : inner_of (s := pair_of S T) (G, zero_of) s = ⟨G, fst s⟩.
Proof. change (⟨G, fst s⟩ + ⟨zero_of, snd s⟩ = ⟨G, fst s⟩). rewrite zero_law. ring. Qed.
