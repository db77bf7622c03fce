from nerva_core.layers import DAB, parse_layers
from nerva_core.reproductions.dab_bridge import bridge_around


def test_the_bridge_has_the_outputs_of_the_hard_function() -> None:
    (layer,) = parse_layers([bridge_around("ImageSort(2, 4)", 16)]).layers
    assert isinstance(layer, DAB)
    assert layer.outputs_for(8) == 16
    assert (layer.gamma, layer.reduction, layer.conditioning) == (10, "full mean", True)
    assert [type(inner).__name__ for inner in layer.bridge.layers] == ["Linear", "ActivationLayer", "Linear"]
    (other,) = parse_layers([bridge_around("Signum", 8, conditioning=False)]).layers
    assert isinstance(other, DAB)
    assert not other.conditioning
