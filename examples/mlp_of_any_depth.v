(** * Backpropagation through a multilayer perceptron of any depth, from the theorems about its layers

    nerva prove --coq proofs Linear ActivationLayer
    coqc -R proofs/library Nerva -Q proofs/theorems NervaTheorems examples/mlp_of_any_depth.v

    The first command exports the backward equations of the code that trains, and the second checks that they make a network: layer i
    has the weights [W i] and the bias [b i], and is followed by any activation with two derivatives, the same for all layers. *)
From Coq Require Import Reals QArith Qreals Lia.
From Coquelicot Require Import Coquelicot.
From Nerva Require Import Sums Networks.
From NervaTheorems Require Import layers_Linear layers_ActivationLayer.
Open Scope R_scope.

Section MLP.
Variables (N : nat) (width : nat -> nat) (W : nat -> matrix) (b : nat -> nat -> R).
Variables act act' act'' : R -> R.
Hypothesis rows : (0 < N)%nat.
Hypothesis columns : forall i, (0 < width i)%nat.
Hypothesis first : forall x, is_derive act x (act' x).
Hypothesis second : forall x, is_derive act' x (act'' x).

(** The equations of [Linear] and of [ActivationLayer], as they are exported. *)
Definition linear (D : nat) (V : matrix) (v : nat -> R) (X : matrix) : matrix := fun n k => (∑ d < D, (X n d * V k d)) + Q2R (1 # 1) * v k.
Definition linear_DX (K : nat) (V DY : matrix) : matrix := fun n d => ∑ k < K, (DY n k * V k d).
Definition linear_DW (X DY : matrix) : matrix := fun k d => ∑ n < N, (DY n k * X n d).
Definition activated (X : matrix) : matrix := fun n d => act (X n d).
Definition activated_DX (X DY : matrix) : matrix := fun n d => DY n d * act' (X n d).

(** The exported theorems say that they are right. *)
Lemma linear_right D K V v : (0 < D)%nat -> (0 < K)%nat -> right N D N K (linear D V v) (fun _ => linear_DX K V).
Proof. intros HD HK X dX H DY. exact (layers_Linear_DX N K D rows HK HD DY V v X dX H). Qed.
Lemma weights_right D K X v : (0 < D)%nat -> (0 < K)%nat -> right K D N K (fun V => linear D V v X) (fun _ => linear_DW X).
Proof. intros HD HK V dV H DY. exact (layers_Linear_DW N K D rows HK HD DY X v V dV H). Qed.
Lemma activated_right D : (0 < D)%nat -> right N D N D activated activated_DX.
Proof. intros HD X dX H DY. apply (layers_ActivationLayer_DX N D rows HD act act' act'' DY X dX H); intros; [apply first|apply second]. Qed.

(** Layer i, forwards and backwards. *)
Definition layer i X := activated (linear (width i) (W i) (b i) X).
Definition layer_back i X DY := linear_DX (width (S i)) (W i) (activated_DX (linear (width i) (W i) (b i) X) DY).
Lemma layer_right i : right N (width i) N (width (S i)) (layer i) (layer_back i).
Proof.
  exact (composed_right N (width i) N (width (S i)) N (width (S i)) _ _ activated activated_DX
    (linear_right _ _ (W i) (b i) (columns i) (columns (S i))) (activated_right _ (columns (S i)))).
Qed.

(** The gradient with respect to the input of a network of any depth, ... *)
Theorem mlp_DX depth : right N (width 0) N (width depth) (forward layer depth) (backward layer layer_back depth).
Proof. apply (network_ok (fun _ => N) width). intros. apply layer_right. Qed.

(** ... and with respect to the weights of layer j: what comes back from the [depth] layers behind it goes through its activation, and
    DW = DYᵀ · X with what the layer was given. *)
Definition from_weights (j : nat) (X V : matrix) := activated (linear (width j) V (b j) X).
Theorem mlp_DW j depth X :
  let after i := layer (S j + i) in
  let after_back i := layer_back (S j + i) in
  right (width (S j)) (width j) N (width (S j + depth)) (fun V => forward after depth (from_weights j X V))
    (fun V DY => linear_DW X (activated_DX (linear (width j) V (b j) X) (backward after after_back depth (from_weights j X V) DY))).
Proof.
  intros after after_back.
  pose proof (composed_right _ _ _ _ _ _ _ _ activated activated_DX (weights_right (width j) (width (S j)) X (b j) (columns j) (columns (S j)))
    (activated_right _ (columns (S j)))) as H.
  pose proof (parameter_ok (fun _ => N) (fun i => width (S j + i)) after after_back depth (width (S j)) (width j) (fun V X => from_weights j X V)
    (fun V X DY => linear_DW X (activated_DX (linear (width j) V (b j) X) DY)) X) as P.
  cbv beta in P. replace (S j + 0)%nat with (S j) in P by lia. apply P; [|exact H].
  intros i _. unfold after, after_back. replace (S j + S i)%nat with (S (S j + i)) by lia. apply layer_right.
Qed.
End MLP.
Print Assumptions mlp_DW.
