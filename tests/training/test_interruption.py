import os
import signal
import threading

import pytest

from nerva_core.training.interruption import SIGNALS, deferred_signals


@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted_and_told_once(number: int) -> None:
    told: list[int] = []
    before = signal.getsignal(number)
    with deferred_signals(told.append) as interruption:
        assert interruption.number is None
        os.kill(os.getpid(), number)
        assert interruption.number == number
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert told == [number]
    assert signal.getsignal(number) is before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with deferred_signals() as interruption:
            os.kill(os.getpid(), signal.SIGHUP)
            assert interruption.number is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_changed() -> None:
    handlers = []

    def work() -> None:
        with deferred_signals():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGINT)]
