"""Examples at the end of ``nerva COMMAND --help``."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "train": (
        "nerva train",
        "nerva train examples/fashion_mnist.toml --backend torch --epochs 5",
        "nerva train --data 'Spirals(arms=3)' --layers 'ReLU;Linear' --sizes '2;32;3' --optimizer Adam --plot",
        "nerva train --data 'CSV(path=\"flowers.csv\")' --layers 'ReLU;Linear' --sizes '4;16;3' --output flowers",
        "nerva train --resume --output flowers --epochs 100",
        "nerva train --json | jq .test_loss",
        "nerva train --validation 0.1 --patience 5 --set training.class_weights=balanced",
    ),
    "find-rate": ("nerva find-rate", "nerva find-rate examples/fashion_mnist.toml --set optimizer=Adam --png rates.png"),
    "sweep": (
        "nerva sweep --seeds 5 --set 'optimizer=Momentum|Adam' --set 'training.epochs=5'",
        "nerva sweep examples/spirals.toml --seeds 3 --set 'schedule.eta0=0.01|0.1' --jobs 4 --output rates",
    ),
    "runs": ("nerva runs", "nerva runs rates"),
    "compare-runs": ("nerva compare-runs runs/digits-numpy-1 runs/digits-numpy-2",),
    "trace": (
        "nerva trace --set training.batch_size=4 --set 'model.sizes=[64, 3, 3, 10]'",
        "nerva trace examples/tiny.toml --step 10 --format html --output step.html",
    ),
    "data": ("nerva data", "nerva data fashion-mnist", "nerva data mnist --path ~/mnist"),
    "predict": (
        "nerva predict runs/digits-numpy-1 new.csv",
        "nerva predict model.safetensors data.npz --array Xtest --output predictions.npz",
        "nerva predict model.safetensors t10k-images-idx3-ubyte.gz --output predictions.csv --backend torch",
    ),
    "generate": (
        "nerva generate runs/text-numpy-1 --prompt 'The '",
        "nerva generate runs/text-numpy-1 --length 500 --temperature 0.8 --top-k 10 --seed 1 --backend torch",
    ),
    "show": (
        "nerva show 'Linear(64);ReLU;Linear(10)' --inputs 64 --format html",
        "nerva show examples/gpt.toml",
        "nerva show BatchNormalization",
        "nerva show 'LeakyReLU(alpha=0.1)' --format latex --standalone",
    ),
    "prove": (
        "nerva prove",
        "nerva prove BatchNormalization --audit --html proofs.html",
        "nerva prove my_layer.py:MyLayer",
        "nerva prove --coq theorems Linear my_layer.py:MyLayer",
    ),
    "compare": ("nerva compare", "nerva compare Softmax tanh --backends numpy,torch --dtype float32"),
    "vectors": ("nerva vectors golden", "nerva vectors golden Softmax LayerNorm my_layer.py:MyLayer"),
    "bench": (
        "nerva bench",
        "nerva bench --backends numpy,jax --configurations A,C --rounds 9 --json times.json --png times.png",
        "nerva bench examples/fashion_mnist.toml --backends torch",
        "nerva bench --scaling",
    ),
    "reproduce": (
        "nerva reproduce",
        "nerva reproduce q-neurons --quick",
        "nerva reproduce dab --full --jobs 2 --output dab",
        "nerva reproduce --resume dab",
    ),
    "landscape": ("nerva landscape runs/digits-numpy-1", "nerva landscape runs/digits-numpy-1 --directions 5 --reach 0.5"),
    "plot": (
        "nerva plot runs/digits-numpy-1 runs/digits-numpy-2 --png both.png",
        "nerva plot rates",
        "nerva plot model.safetensors --png activations.png",
    ),
    "list": ("nerva list", "nerva list losses", "nerva list | grep -i elu"),
    "backends": ("nerva backends",),
    "export": (
        "nerva export runs/digits-numpy-1/model.safetensors weights.npz",
        "nerva export runs/digits-numpy-1/model.safetensors net.onnx",
        "nerva export runs/digits-numpy-1/model.safetensors torch-net --format torch",
    ),
}


def epilog(command: str) -> str:
    """The examples of a command, in the markup of the help."""
    lines = [line.replace("[", r"\[") for line in EXAMPLES.get(command, ())]
    remark = "Names are text such as [bold]Momentum(mu=0.9)[/bold]; [bold]nerva list[/bold] prints all of them."
    parts = ["[bold]Examples[/bold]", *lines] if lines else []
    return "\n\n".join([*parts, *([remark] if command == "train" else [])])
