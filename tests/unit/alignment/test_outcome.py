"""What was found of stacks, counted as in their files."""

import numpy as np
import pytest

from cordinr.alignment.intensity import SliceIntensities
from cordinr.alignment.outcome import Alignment
from cordinr.alignment.pose import Pose


@pytest.fixture
def found() -> Alignment:
    """Three slices of a stack, one of them dark and one doubted, all of them moved."""
    slices = SliceIntensities(
        np.array([1, 0.8, 1]), np.array([1, 1, 0.3]), np.array([0.1, 0.2, 0.9])
    )
    shifts = np.array([[0, 0, 1.0], [0, 0, 2.0], [0, 0, 3.0]])
    return Alignment(
        poses=(Pose(np.zeros(3), np.zeros(3), np.zeros(3)),),
        gains=np.ones(1),
        shadings=(None,),
        slices=(slices,),
        correlation=np.ones(1),
        correlation_before=np.ones(1),
        fixed=0,
        problems={},
        shifts=(shifts,),
    )


def test_slices_that_were_cut_off_have_no_gain_full_weight_and_lie_like_their_neighbours(found):
    whole = found.for_files([(2, 6)])
    (slices,), (shifts,) = whole.slices, whole.shifts
    assert slices.gains.tolist() == [1, 1, 1, 0.8, 1, 1]
    assert slices.trust.tolist() == [1, 1, 1, 1, 0.3, 1]
    assert np.isnan(slices.disagreement).tolist() == [True, True, False, False, False, True]
    assert shifts[:, 2].tolist() == [1, 1, 1, 2, 3, 3]
    assert whole.fields(0)["SliceWeights"] == [1, 1, 1, 1, 0.3, 1]
    assert len(whole.fields(0)["SliceTranslations"]) == 6
    assert "from 0: 3 (0.80)" in whole.describe(0) and "from 0: 4 (weight 0.3)" in whole.describe(0)


def test_nothing_changes_where_nothing_was_cut_off(found):
    whole = found.for_files([(0, 3)])
    np.testing.assert_array_equal(whole.slices[0].gains, found.slices[0].gains)
    np.testing.assert_array_equal(whole.shifts[0], found.shifts[0])
