"""Workers that are processes of ``jax.distributed``, one device each: a step is one program on all devices, by ``jax.shard_map``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from backends.quiet import silent
from nerva_core.algebra.errors import NervaError
from nerva_core.algebra.trees import Tree, map_tree
from nerva_core.algebra.workers import WorkerLostError, Workers, rendezvous, time_out

Array = Any

AXIS = "workers"


class JaxWorkers(Workers):
    """All processes of ``jax.distributed``. Within a program that is compiled for all, sums go from device to device."""

    alike = True

    def __init__(self, jax: Any, platform: str) -> None:
        """NervaError if JAX has computed before, or nothing tells of the others; WorkerLostError if they cannot be found in time."""
        self.jax = jax
        self.rank, self.count, address = rendezvous(os.environ)
        self._join(address)
        devices = jax.devices(platform)
        firsts = [next(device for device in devices if device.process_index == rank) for rank in range(self.count)]
        self.mesh = jax.sharding.Mesh(np.array(firsts), (AXIS,))
        self.device = firsts[self.rank]
        self._whole, self._own = (jax.sharding.NamedSharding(self.mesh, jax.P(*axes)) for axes in ((), (AXIS,)))
        self._gather = jax.jit(self._on_all(lambda X: jax.lax.all_gather(X[0], AXIS), jax.P(AXIS)))
        with silent(1):  # gloo says there that it is connected
            self.gather(np.zeros(()))

    def _join(self, address: str) -> None:
        seconds = max(1, int(time_out()))
        self.jax.config.update("jax_cpu_collectives_implementation", "gloo")
        try:
            self.jax.distributed.initialize(
                address,
                self.count,
                self.rank,
                cluster_detection_method="deactivate",
                initialization_timeout=seconds,
                heartbeat_timeout_seconds=seconds,
                shutdown_timeout_seconds=seconds,
            )
        except RuntimeError as error:
            if "before any JAX" in str(error):
                raise NervaError("JAX finds other workers only if it has computed nothing before; start a process for each run") from None
            raise self._lost(error) from None

    def exchange(self, X: Array, other: int) -> Array:
        if not isinstance(X, self.jax.core.Tracer):
            return self.gather(X)[other]
        distance = self.rank ^ other
        return self.jax.lax.ppermute(X, AXIS, [(rank, rank ^ distance) for rank in range(self.count)])

    def gather(self, X: Array) -> list[Array]:
        if isinstance(X, self.jax.core.Tracer):
            return list(self.jax.lax.all_gather(X, AXIS))
        try:
            return list(self.local(self._gather(self.own(X))))
        except self.jax.errors.JaxRuntimeError as error:
            raise self._lost(error) from None

    def compiled(self, program: Callable[..., Any]) -> Callable[..., Any]:
        """``program(state, data, inputs)``, where every worker has its own inputs and the same of all else, compiled for all devices.

        It is given, and gives, arrays of this worker. The state is consumed. WorkerLostError if another worker does not answer.
        """
        P = self.jax.P

        def unpacked(state: Tree, data: Any, inputs: Any) -> Any:
            return program(state, data, map_tree(lambda a: a[0], inputs))

        run = self.jax.jit(self._on_all(unpacked, (P(), P(), P(AXIS))), donate_argnums=0)

        def on_all(state: Tree, data: Any, inputs: Any) -> Any:
            try:
                results = run(map_tree(self.whole, state), map_tree(self.whole, data), map_tree(self.own, inputs))
                return self.jax.block_until_ready(map_tree(self.local, results))
            except self.jax.errors.JaxRuntimeError as error:
                raise self._lost(error) from None

        return on_all

    def _on_all(self, program: Callable[..., Any], given: Any) -> Callable[..., Any]:
        on_all: Callable[..., Any] = self.jax.shard_map(program, mesh=self.mesh, in_specs=given, out_specs=self.jax.P(), check_vma=False)
        return on_all

    def whole(self, X: Array) -> Array:
        """An array that every worker has, as one of all devices; nothing is copied."""
        return self.jax.make_array_from_single_device_arrays(X.shape, self._whole, [X])

    def own(self, X: Any) -> Array:
        """An array of this worker as one of all devices, with a leading axis over the workers."""
        mine = self.jax.device_put(np.asarray(X)[None], self.device)
        return self.jax.make_array_from_single_device_arrays((self.count, *mine.shape[1:]), self._own, [mine])

    def local(self, X: Array) -> Array:
        """What this worker has of an array of all devices."""
        return X.addressable_data(0)

    def stop(self) -> None:
        self.jax.distributed.shutdown()

    def _lost(self, error: Exception) -> WorkerLostError:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        return WorkerLostError(f"another worker has ended, or has not answered for {time_out():g} seconds ({reason})")
