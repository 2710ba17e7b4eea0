"""Our stand-in against localstripe, for what that can do: one SDK, the same request, the same facts (decision 0096).

`ALIKE` is what both answer alike. `DIFFERENT` is where localstripe answers otherwise than Stripe's documentation; each row
says what that says. A version of localstripe that is mended there shows as a red row, which then moves to `ALIKE`.
"""

import pytest

from tests.simulators.alike import ALIKE
from tests.simulators.asking import Case, Difference, facts
from tests.simulators.different import DIFFERENT


@pytest.mark.parametrize("case", ALIKE, ids=lambda case: case.name)
def test_both_answer_alike(ours, theirs, case: Case):
    answers = {"ours": facts(ours, case.ask, case.facts), "localstripe": facts(theirs, case.ask, case.facts)}
    assert answers == {"ours": case.facts, "localstripe": case.facts}


@pytest.mark.parametrize("row", DIFFERENT, ids=lambda row: row.name)
def test_localstripe_differs_as_it_is_known_to(ours, theirs, row: Difference):
    assert facts(ours, row.ask, row.ours) == row.ours, row.why
    assert facts(theirs, row.ask, row.theirs) == row.theirs, f"localstripe answers otherwise than it did. {row.why}"
    assert facts(theirs, row.ask, row.ours) != row.ours, f"localstripe was mended: move the row. {row.why}"
