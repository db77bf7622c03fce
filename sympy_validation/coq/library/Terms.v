(** * Terms: the entry of a matrix as a piece of data

    An exported equation is read twice: as an ordinary statement about sums of reals, and as a term of type [expr], on which the checker
    computes. [eval] says what a term means; Coq's kernel checks by conversion that both readings are the same.

    Indices are de Bruijn indices: [IV 0] is the index of the innermost sum. A context [c] lists the sizes of the indices that are free,
    and [valid c r] says that the numbers [r] are below these sizes. *)
From Coq Require Import Reals QArith Qreals ZArith List Bool Lra Lia.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(** An index is a bound one or a known number; a size is a symbol or a known number. *)
Inductive idx := IC (k : nat) | IV (n : nat).
Inductive sz := SC (k : nat) | SV (n : nat).
(** Functions from R to R; [FU k o] is the derivative of order [o] of the unknown function number [k]. *)
Inductive fn := FInv | FExp | FLn | FSqrt | FInd | FAtan | FPhi | Fphi | FU (k o : nat).
(** [V v l] is the element of the variable number [v] at the indices [l]; [Max] is the largest of a row. *)
Inductive expr :=
| Cst (q : Q) | Siz (s : sz) | V (v : nat) (l : list idx) | Delta (i j : idx)
| Add (a b : expr) | Mul (a b : expr) | Fn (f : fn) (a : expr) | Sum (s : sz) (a : expr) | Max (s : sz) (a : expr).

(** ** Meaning *)
Section Meaning.
Variable sg : nat -> nat.              (* the sizes *)
Variable fe : nat -> nat -> R -> R.    (* the unknown functions and their derivatives *)
Definition ssz s := match s with SC k => k | SV n => sg n end.
Definition iv (r : list nat) i := match i with IC k => k | IV n => nth n r O end.
Definition fnR f : R -> R := match f with
  | FInv => Rinv | FExp => exp | FLn => ln | FSqrt => sqrt | FInd => ind | FAtan => atan | FPhi => Phi | Fphi => phi | FU k o => fe k o end.
Variable M : nat -> list nat -> R.     (* the variables *)
Fixpoint eval (r : list nat) (e : expr) : R := match e with
  | Cst q => Q2R q | Siz s => INR (ssz s) | V v l => M v (map (iv r) l)
  | Delta i j => if Nat.eqb (iv r i) (iv r j) then 1 else 0
  | Add a b => eval r a + eval r b | Mul a b => eval r a * eval r b | Fn f a => fnR f (eval r a)
  | Sum s a => bsum (ssz s) (fun k => eval (k :: r) a) | Max s a => rmax (ssz s) (fun k => eval (k :: r) a) end.
Definition valid (c : list sz) (r : list nat) := Forall2 (fun s k => (k < ssz s)%nat) c r.
End Meaning.
Arguments valid sg c r : simpl never.

(** ** A total order on terms, of which only "equal means equal" is used *)
Definition thenc (c d : comparison) := match c with Eq => d | _ => c end.
Lemma thenc_eq c d : thenc c d = Eq -> c = Eq /\ d = Eq.
Proof. destruct c; simpl; auto; discriminate. Qed.
Definition qcmp (p q : Q) := thenc (Z.compare (Qnum p) (Qnum q)) (Pos.compare (Qden p) (Qden q)).
Definition icmp i j := match i, j with IC m, IC n => Nat.compare m n | IC _, _ => Lt | _, IC _ => Gt | IV m, IV n => Nat.compare m n end.
Definition scmp i j := match i, j with SC m, SC n => Nat.compare m n | SC _, _ => Lt | _, SC _ => Gt | SV m, SV n => Nat.compare m n end.
Fixpoint iscmp (l k : list idx) := match l, k with
  | [], [] => Eq | [], _ => Lt | _, [] => Gt | i :: l, j :: k => thenc (icmp i j) (iscmp l k) end.
Definition ftag f := match f with
  FInv => 0 | FExp => 1 | FLn => 2 | FSqrt => 3 | FInd => 4 | FAtan => 5 | FPhi => 6 | Fphi => 7 | FU _ _ => 8 end%nat.
Definition fcmp f g := match f, g with FU k o, FU l p => thenc (Nat.compare k l) (Nat.compare o p) | _, _ => Nat.compare (ftag f) (ftag g) end.
Definition etag e := match e with
  Cst _ => 0 | Siz _ => 2 | V _ _ => 3 | Delta _ _ => 1 | Add _ _ => 4 | Mul _ _ => 5 | Fn _ _ => 6 | Sum _ _ => 7 | Max _ _ => 8 end%nat.
Fixpoint ecmp (a b : expr) : comparison := match a, b with
  | Cst p, Cst q => qcmp p q
  | Siz s, Siz t => scmp s t
  | V v l, V w k => thenc (Nat.compare v w) (iscmp l k)
  | Delta i j, Delta k l => thenc (icmp i k) (icmp j l)
  | Add a1 a2, Add b1 b2 | Mul a1 a2, Mul b1 b2 => thenc (ecmp a1 b1) (ecmp a2 b2)
  | Fn f a1, Fn g b1 => thenc (fcmp f g) (ecmp a1 b1)
  | Sum s a1, Sum t b1 | Max s a1, Max t b1 => thenc (scmp s t) (ecmp a1 b1)
  | _, _ => Nat.compare (etag a) (etag b)
  end.
Ltac ceq := repeat match goal with
  | H : thenc _ _ = Eq |- _ => apply thenc_eq in H; destruct H
  | H : Nat.compare _ _ = Eq |- _ => apply Nat.compare_eq in H
  | H : Z.compare _ _ = Eq |- _ => apply Z.compare_eq in H
  | H : Pos.compare _ _ = Eq |- _ => apply Pos.compare_eq in H end.
Lemma qcmp_eq p q : qcmp p q = Eq -> p = q.
Proof. destruct p, q; unfold qcmp; simpl; intros; ceq; congruence. Qed.
Lemma icmp_eq p q : icmp p q = Eq -> p = q.
Proof. destruct p, q; simpl; intros; ceq; congruence. Qed.
Lemma scmp_eq p q : scmp p q = Eq -> p = q.
Proof. destruct p, q; simpl; intros; ceq; congruence. Qed.
Lemma iscmp_eq p : forall q, iscmp p q = Eq -> p = q.
Proof. induction p; destruct q; simpl; intros; try discriminate; auto. ceq. f_equal; auto. now apply icmp_eq. Qed.
Lemma fcmp_eq p q : fcmp p q = Eq -> p = q.
Proof. destruct p, q; simpl; intros; ceq; congruence. Qed.
Lemma ecmp_eq a : forall b, ecmp a b = Eq -> a = b.
Proof.
  induction a; destruct b; simpl; intros H; try discriminate; ceq;
  repeat match goal with
  | H : qcmp _ _ = Eq |- _ => apply qcmp_eq in H
  | H : icmp _ _ = Eq |- _ => apply icmp_eq in H
  | H : scmp _ _ = Eq |- _ => apply scmp_eq in H
  | H : iscmp _ _ = Eq |- _ => apply iscmp_eq in H
  | H : fcmp _ _ = Eq |- _ => apply fcmp_eq in H
  | IH : forall b, ecmp ?a b = Eq -> _, H : ecmp ?a _ = Eq |- _ => apply IH in H end; congruence.
Qed.
Definition iseq (c : comparison) := match c with Eq => true | _ => false end.
Lemma iseq_ok c : iseq c = true -> c = Eq.
Proof. destruct c; auto; discriminate. Qed.
Definition eeq a b := iseq (ecmp a b).
Lemma eeq_ok a b : eeq a b = true -> a = b.
Proof. intros H. now apply ecmp_eq, iseq_ok. Qed.
Definition seq_ s t := iseq (scmp s t).
Lemma seq_ok a b : seq_ a b = true -> a = b.
Proof. intros H. now apply scmp_eq, iseq_ok. Qed.
Definition ieq i j := iseq (icmp i j).
Lemma ieq_ok a b : ieq a b = true -> a = b.
Proof. intros H. now apply icmp_eq, iseq_ok. Qed.

(** ** Renaming of indices: [IV n] becomes the [n]-th of [l], and, beyond these, [IV (n - length l + k)] *)
Definition ish i := match i with IC k => IC k | IV n => IV (S n) end.
Definition iren (l : list idx) (k : nat) i := match i with IC m => IC m | IV n => nth n l (IV (k + (n - length l))) end.
Fixpoint ren (l : list idx) (k : nat) (e : expr) : expr := match e with
  | Cst _ | Siz _ => e | V v m => V v (map (iren l k) m) | Delta i j => Delta (iren l k i) (iren l k j)
  | Add a b => Add (ren l k a) (ren l k b) | Mul a b => Mul (ren l k a) (ren l k b) | Fn f a => Fn f (ren l k a)
  | Sum s a => Sum s (ren (IV 0 :: map ish l) (S k) a) | Max s a => Max s (ren (IV 0 :: map ish l) (S k) a) end.

Section Renaming.
Variables (sg : nat -> nat) (fe : nat -> nat -> R -> R) (M : nat -> list nat -> R).
Notation eval := (eval sg fe M).
Lemma iv_ish k r i : iv (k :: r) (ish i) = iv r i.
Proof. destruct i; reflexivity. Qed.
Lemma nth_skipn_ k : forall (r : list nat) n, nth n (skipn k r) O = nth (k + n) r O.
Proof. induction k; intros r n; simpl; auto. destruct r; simpl; auto. destruct n; auto. Qed.
Lemma iren_ok r l k i : iv r (iren l k i) = iv (map (iv r) l ++ skipn k r) i.
Proof.
  destruct i as [m|n]; [reflexivity|]. unfold iren. cbn [iv]. destruct (Nat.lt_ge_cases n (length l)) as [H|H].
  - rewrite app_nth1 by now rewrite map_length. rewrite (nth_indep _ _ (IC 0) H).
    change O with (iv r (IC 0)) at 2. now rewrite map_nth.
  - rewrite nth_overflow, app_nth2, map_length, nth_skipn_ by now rewrite ?map_length. reflexivity.
Qed.
Lemma ren_ok e : forall r l k, eval r (ren l k e) = eval (map (iv r) l ++ skipn k r) e.
Proof.
  assert (B : forall q r l k, map (iv (q :: r)) (IV 0 :: map ish l) ++ skipn (S k) (q :: r) = q :: map (iv r) l ++ skipn k r).
  { intros. simpl. f_equal. f_equal. rewrite map_map. apply map_ext. intros. apply iv_ish. }
  induction e; intros r m z; cbn [ren Terms.eval]; rewrite ?IHe1, ?IHe2, ?IHe, ?iren_ok; auto.
  - f_equal. rewrite map_map. apply map_ext. intros. apply iren_ok.
  - apply bsum_ext. intros k _. now rewrite IHe, B.
  - apply rmax_ext. intros k _. now rewrite IHe, B.
Qed.
End Renaming.
