(** * Polynomials in atoms: the normal form of a term, up to the order of its factors and summands

    A polynomial is a sorted list of monomials, a monomial a rational number with a sorted list of factors. Every operation comes with the
    lemma that it means what it should, at every valid assignment of indices. Nothing is claimed about uniqueness: that a normal form is
    good enough to recognise equal terms is shown by the theorems that it proves. *)
From Coq Require Import Reals QArith Qreals ZArith List Bool Lra Lia.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums Terms Facts.
Import ListNotations.
Open Scope R_scope.

Arguments Qred : simpl never.
Arguments Qplus : simpl never.
Arguments Qmult : simpl never.
Arguments Qinv : simpl never.

Definition mono := (Q * list expr)%type.
Definition poly := list mono.

Lemma Q2R1 : Q2R 1 = 1. Proof. unfold Q2R; simpl; lra. Qed.
Lemma Q2R0 : Q2R 0 = 0. Proof. unfold Q2R; simpl; lra. Qed.
Lemma Q2Rm1 : Q2R (-1) = -1. Proof. unfold Q2R; simpl; lra. Qed.
Lemma qred p : Q2R (Qred p) = Q2R p.
Proof. apply Qeq_eqR, Qred_correct. Qed.
Lemma q0 c : Qeq_bool c 0 = true -> Q2R c = 0.
Proof. intros H. apply Qeq_bool_eq in H. rewrite (Qeq_eqR _ _ H). apply Q2R0. Qed.
Lemma q1 c : Qeq_bool c 1 = true -> Q2R c = 1.
Proof. intros H. apply Qeq_bool_eq in H. rewrite (Qeq_eqR _ _ H). apply Q2R1. Qed.
Lemma qn0 c : Qeq_bool c 0 = false -> Q2R (Qred (/ c)) = / Q2R c /\ Q2R c <> 0.
Proof.
  intros H. apply Qeq_bool_neq in H. split.
  - rewrite qred. now apply Q2R_inv.
  - intros E. apply H. apply eqR_Qeq. now rewrite E, Q2R0.
Qed.
Lemma qpos c n : Qnum c = Zpos n -> 0 < Q2R c.
Proof. intros H. unfold Q2R. rewrite H. apply Rmult_lt_0_compat; [apply IZR_lt; lia|apply Rinv_0_lt_compat, IZR_lt; lia]. Qed.

Section Polynomials.
Variables (sg : nat -> nat) (fe : nat -> nat -> R -> R) (M : nat -> list nat -> R).
Notation eval := (eval sg fe M).
Notation ssz := (ssz sg).
Notation valid := (valid sg).
Hypothesis sg_pos : forall n, (0 < sg n)%nat.
Variable F : list fact.
Hypothesis F_ok : all_hold sg fe M F.

Fixpoint prodv r (l : list expr) : R := match l with [] => 1 | a :: l => eval r a * prodv r l end.
Definition evalm r (m : mono) := Q2R (fst m) * prodv r (snd m).
Fixpoint evalp r (p : poly) : R := match p with [] => 0 | m :: p => evalm r m + evalp r p end.

(** ** Products of atoms. An atom cancels against its reciprocal, if it is known not to be 0; indicators are idempotent. *)
Definition base a := match a with Fn FInv b => b | _ => a end.
Definition isinv a := match a with Fn FInv _ => true | _ => false end.
Definition isbool a := match a with Fn FInd _ | Delta _ _ => true | _ => false end.
Definition cancel c a b := match a, b with
  | Fn FInv a', _ => (eeq a' b && nz F c b) || match b with Fn FInv b' => eeq b' a && nz F c a | _ => false end
  | _, Fn FInv b' => eeq b' a && nz F c a
  | _, _ => false end.
Fixpoint insa c (a : expr) (l : list expr) : list expr := match l with
  | [] => [a]
  | b :: k => match ecmp (base a) (base b) with
    | Lt => a :: l
    | Gt => b :: insa c a k
    | Eq => if cancel c a b then k else if isbool a && eeq a b then l else if isinv a then b :: insa c a k else a :: l end end.
Definition insl c l k := fold_right (insa c) k l.
Fixpoint lcmp (l k : list expr) := match l, k with
  | [], [] => Eq | [], _ => Lt | _, [] => Gt | a :: l, b :: k => thenc (ecmp a b) (lcmp l k) end.
Fixpoint insm (m : mono) (p : poly) : poly := match p with
  | [] => if Qeq_bool (fst m) 0 then [] else [m]
  | n :: q => match lcmp (snd m) (snd n) with
    | Lt => if Qeq_bool (fst m) 0 then p else m :: p
    | Gt => n :: insm m q
    | Eq => let c := Qred (fst m + fst n) in if Qeq_bool c 0 then q else (c, snd n) :: q end end.
Definition padd (p q : poly) : poly := fold_right insm q p.
Definition mmul c (m n : mono) : mono := (Qred (fst m * fst n), insl c (snd m) (snd n)).
Definition pmulm c m (q : poly) : poly := fold_right (fun n acc => insm (mmul c m n) acc) [] q.
Definition pmul c (p q : poly) : poly := fold_right (fun m acc => padd (pmulm c m q) acc) [] p.
Definition pc (q : Q) : poly := insm (Qred q, []) [].
Definition pa (a : expr) : poly := [(1%Q, [a])].
Definition pscale c q p := pmulm c (q, []) p.
(** Back to terms, and again to polynomials, sorted anew. *)
Definition prode l := fold_right Mul (Cst 1) l.
Definition body (l : list expr) := match l with [a] => a | _ => prode l end.
Definition unm (m : mono) := fold_right Mul (Cst (fst m)) (snd m).
Definition unp (p : poly) := match p with [m] => unm m | _ => fold_right (fun m e => Add (unm m) e) (Cst 0) p end.
(** The argument of a function; that of a reciprocal and of a logarithm is an atom, if it is one. *)
Definition arg f (p : poly) := match f, p with
  | FInv, [(q, [a])] | FLn, [(q, [a])] => if Qeq_bool q 1 then a else unp p | _, _ => unp p end.
Definition product_of (p : poly) (e : expr) : list expr := match p with [(q, l)] => if Qeq_bool q 1 then l else [e] | _ => [e] end.
Fixpoint lin c (e : expr) : poly := match e with
  | Cst q => pc q | Add a b => padd (lin c a) (lin c b) | Mul a b => pmul c (lin c a) (lin c b)
  | Fn f a => pa (Fn f (arg f (lin c a)))
  | Sum s a => pa (Sum s (body (product_of (lin (s :: c) a) a)))
  | _ => pa e end.

Section At.
Variables (c : list sz) (r : list nat).
Hypothesis Vr : valid c r.
Lemma nz_at e : nz F c e = true -> eval r e <> 0.
Proof. exact (nz_ok sg fe M sg_pos F F_ok c r e Vr). Qed.
Lemma pos_at e : pos F c e = true -> 0 < eval r e.
Proof. exact (pos_ok sg fe M sg_pos F F_ok c r e Vr). Qed.
Lemma nonneg_at e : nonneg F c e = true -> 0 <= eval r e.
Proof. exact (nonneg_ok sg fe M sg_pos F F_ok c r e Vr). Qed.
Lemma cancel_ok a b : cancel c a b = true -> eval r a * eval r b = 1.
Proof.
  assert (H1 : forall a b, eeq a b && nz F c b = true -> eval r (Fn FInv a) * eval r b = 1).
  { intros x y H. apply andb_prop in H as [E H]. apply eeq_ok in E. subst. cbn. apply Rinv_l. now apply nz_at. }
  assert (H2 : forall a b, eeq b a && nz F c a = true -> eval r a * eval r (Fn FInv b) = 1).
  { intros x y H. rewrite Rmult_comm. now apply H1. }
  unfold cancel. destruct a as [| | | | | |f a| |]; try destruct f; destruct b as [| | | | | |g b| |]; try destruct g;
    rewrite ?orb_false_r; intros H; try discriminate; auto.
  apply orb_prop in H as [H|H]; auto.
Qed.
Lemma isbool_ok a : isbool a = true -> eval r a * eval r a = eval r a.
Proof.
  destruct a as [| | |i j| | |f a| |]; try discriminate; [intros _; cbn; destruct (Nat.eqb _ _); lra|].
  destruct f; try discriminate. intros _. apply ind_idem.
Qed.
Lemma insa_ok a l : prodv r (insa c a l) = eval r a * prodv r l.
Proof.
  induction l as [|b k IH]; simpl; auto.
  destruct (ecmp (base a) (base b)); simpl; auto; [|rewrite IH; ring].
  destruct (cancel c a b) eqn:E; [rewrite <- Rmult_assoc, (cancel_ok a b E); ring|].
  destruct (isbool a && eeq a b) eqn:G; [|destruct (isinv a); simpl; auto; rewrite IH; ring].
  apply andb_prop in G as [G H]. apply eeq_ok in H. subst b. simpl. rewrite <- Rmult_assoc, isbool_ok; auto.
Qed.
Lemma insl_ok l k : prodv r (insl c l k) = prodv r l * prodv r k.
Proof. induction l; simpl; [ring|]. rewrite insa_ok, IHl. ring. Qed.
Lemma mmul_ok m n : evalm r (mmul c m n) = evalm r m * evalm r n.
Proof. unfold evalm, mmul; cbn [fst snd]. rewrite qred, Q2R_mult, insl_ok. ring. Qed.
Lemma lcmp_eq l : forall k, lcmp l k = Eq -> l = k.
Proof. induction l; destruct k; simpl; intros H; try discriminate; auto. ceq. f_equal; auto. now apply ecmp_eq. Qed.
Lemma insm_ok m p : evalp r (insm m p) = evalm r m + evalp r p.
Proof.
  assert (Z : forall m : mono, Qeq_bool (fst m) 0 = true -> evalm r m = 0).
  { intros x H. unfold evalm. rewrite (q0 _ H). ring. }
  induction p as [|n q IH]; simpl.
  - destruct (Qeq_bool (fst m) 0) eqn:E; simpl; [rewrite (Z _ E)|]; ring.
  - destruct (lcmp (snd m) (snd n)) eqn:L.
    + apply lcmp_eq in L.
      assert (H : evalm r m + evalm r n = Q2R (Qred (fst m + fst n)) * prodv r (snd n)).
      { unfold evalm. rewrite qred, Q2R_plus, L. ring. }
      rewrite <- Rplus_assoc, H. cbv zeta. destruct (Qeq_bool (Qred (fst m + fst n)) 0) eqn:E; [rewrite (q0 _ E); ring|reflexivity].
    + destruct (Qeq_bool (fst m) 0) eqn:E; simpl; [rewrite (Z _ E)|]; ring.
    + simpl. rewrite IH. ring.
Qed.
Lemma padd_ok p q : evalp r (padd p q) = evalp r p + evalp r q.
Proof. induction p; simpl; [ring|]. rewrite insm_ok, IHp. ring. Qed.
Lemma pmulm_ok m q : evalp r (pmulm c m q) = evalm r m * evalp r q.
Proof. induction q; simpl; [ring|]. rewrite insm_ok, mmul_ok, IHq. ring. Qed.
Lemma pmul_ok p q : evalp r (pmul c p q) = evalp r p * evalp r q.
Proof. induction p; simpl; [ring|]. rewrite padd_ok, pmulm_ok, IHp. ring. Qed.
Lemma pc_ok q : evalp r (pc q) = Q2R q.
Proof. unfold pc. rewrite insm_ok. unfold evalm; cbn [fst snd prodv evalp]. rewrite qred. ring. Qed.
Lemma pa_ok a : evalp r (pa a) = eval r a.
Proof. unfold pa, evalp, evalm; cbn [fst snd prodv]. rewrite Q2R1. ring. Qed.
Lemma pscale_ok q p : evalp r (pscale c q p) = Q2R q * evalp r p.
Proof. unfold pscale. rewrite pmulm_ok. unfold evalm; cbn [fst snd prodv]. ring. Qed.
Lemma prode_ok l : eval r (prode l) = prodv r l.
Proof. induction l; cbn [prode fold_right Terms.eval prodv]; [apply Q2R1|]. fold (prode l). now rewrite IHl. Qed.
Lemma body_ok l : eval r (body l) = prodv r l.
Proof. destruct l as [|a [|b l]]; cbn [body]; [apply (prode_ok [])|cbn [prodv]; ring|apply prode_ok]. Qed.
Lemma unm_ok m : eval r (unm m) = evalm r m.
Proof. destruct m as [q l]. unfold unm, evalm; simpl. induction l; simpl; [ring|]. rewrite IHl. ring. Qed.
Lemma unp_ok p : eval r (unp p) = evalp r p.
Proof.
  assert (A : forall p, eval r (fold_right (fun m e => Add (unm m) e) (Cst 0) p) = evalp r p).
  { induction p0; simpl; [apply Q2R0|]. now rewrite unm_ok, IHp0. }
  destruct p as [|m [|n p]]; try apply A. cbn [unp evalp]. rewrite unm_ok. ring.
Qed.
Lemma arg_ok f p : eval r (arg f p) = evalp r p.
Proof.
  assert (A : forall q a, eval r (if Qeq_bool q 1 then a else unp [(q, [a])]) = evalp r [(q, [a])]).
  { intros q a. destruct (Qeq_bool q 1) eqn:E; [|apply unp_ok]. cbn [evalp]. unfold evalm; cbn [fst snd prodv]. rewrite (q1 q E). ring. }
  destruct f; try apply unp_ok; destruct p as [|[q [|a [|b l]]] [|n p]]; try apply unp_ok; apply A.
Qed.
Lemma product_of_ok p e : evalp r p = eval r e -> prodv r (product_of p e) = eval r e.
Proof.
  intros H. assert (A : prodv r [e] = eval r e) by (cbn; ring).
  unfold product_of. destruct p as [|[q l] [|n p]]; auto. destruct (Qeq_bool q 1) eqn:E; auto.
  rewrite <- H. cbn [evalp]. unfold evalm; cbn [fst snd]. rewrite (q1 q E). ring.
Qed.
End At.
Lemma lin_ok e : forall c r, valid c r -> evalp r (lin c e) = eval r e.
Proof.
  induction e as [q|s|v l|i j|a IHa b IHb|a IHa b IHb|f a IHa|s a IHa|s a IHa]; intros c r Vr; cbn [lin]; try (rewrite pa_ok; reflexivity).
  - apply pc_ok.
  - rewrite padd_ok, IHa, IHb; auto.
  - rewrite (pmul_ok c r Vr), IHa, IHb; auto.
  - rewrite pa_ok. cbn [Terms.eval]. rewrite arg_ok, IHa; auto.
  - rewrite pa_ok. cbn [Terms.eval]. apply bsum_ext. intros k K. rewrite body_ok. apply product_of_ok. apply IHa. now constructor.
Qed.
End Polynomials.
