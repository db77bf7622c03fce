"""A marker for pytest: ``@pytest.mark.gradient("x: N D, w: D K")`` on a test that returns the function whose gradient is to be proved."""

from __future__ import annotations

from typing import Any


def pytest_configure(config: Any) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line(
        "markers", "gradient(shapes, backward=None, different=''): prove the gradient of the function that the test returns"
    )


def pytest_pyfunc_call(pyfuncitem: Any) -> bool | None:
    """Run a marked test, and prove the gradient of what it returns."""
    marker = pyfuncitem.get_closest_marker("gradient")
    if marker is None:
        return None
    from nerva_core.testing import assert_gradient

    names = pyfuncitem._fixtureinfo.argnames
    function = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    assert_gradient(function, *marker.args, **marker.kwargs)
    return True
