from concurrent.futures import ThreadPoolExecutor

from market.kernel.ids import derived_id, new_id


def test_ids_are_version_7_and_sort_in_the_order_of_their_making():
    made = [new_id() for _ in range(20_000)]
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_threads_never_make_the_same_id():
    with ThreadPoolExecutor(8) as pool:
        made = [one for batch in pool.map(lambda _: [new_id() for _ in range(2_000)], range(8)) for one in batch]
    assert len(set(made)) == len(made)


def test_a_derived_id_is_always_the_same_and_looks_like_version_4():
    assert derived_id("payout:1") == derived_id("payout:1") != derived_id("payout:2")
    assert derived_id("payout:1").version == 4
