"""Numbers drawn by key: in range, the same in any company, and distributed as they say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tools.demo.generate.beside.chance import normal, pick, poisson, uniform, whole

INDICES = st.lists(st.integers(-(2**40), 2**62), min_size=1, max_size=20).map(lambda xs: np.array(xs, dtype=np.int64))


@given(st.integers(0, 2**31 - 1), st.text(max_size=12), INDICES)
def test_a_number_depends_on_its_key_alone(seed: int, stream: str, index: np.ndarray) -> None:
    together = uniform(seed, stream, index)
    assert ((together > 0) & (together < 1)).all()
    assert [float(uniform(seed, stream, index[n : n + 1])[0]) for n in range(len(index))] == together.tolist()
    assert ((whole(seed, stream, index, 7) >= 0) & (whole(seed, stream, index, 7) < 7)).all()


def test_numbers_are_distributed_as_they_say() -> None:
    index = np.arange(40_000)
    flat = uniform(3, "a", index)
    assert abs(flat.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(flat[:-1], flat[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(flat, uniform(4, "a", index))[0, 1]) < 0.02
    assert abs(np.corrcoef(flat, uniform(3, "b", index))[0, 1]) < 0.02
    bell = normal(3, "a", index)
    assert abs(bell.mean()) < 0.02
    assert abs(bell.std() - 1) < 0.02
    for mean in (0.3, 4.0, 180.0, 380.0):
        count = poisson(3, "a", index, np.full(len(index), mean))
        assert abs(count.mean() / mean - 1) < 0.03
        assert abs(count.var() / mean - 1) < 0.05
    shares = np.bincount(pick(3, "a", index, (1, 0, 3)), minlength=3) / len(index)
    assert np.allclose(shares, [0.25, 0, 0.75], atol=0.01)
