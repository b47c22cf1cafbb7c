"""What BCC's own headers name and a kernel's types may not know."""

from fileaudit_engine.sources.headers import missing_helpers


def test_a_helper_that_the_types_do_not_know_gets_its_number() -> None:
    assert "BPF_FUNC_loop=181" in missing_helpers("enum bpf_func_id { BPF_FUNC_get_branch_snapshot = 176 };")


def test_a_helper_that_the_types_know_is_left_alone() -> None:
    header = "enum bpf_func_id { BPF_FUNC_loop = 181, BPF_FUNC_strncmp = 182 };"
    missing = missing_helpers(header)
    assert not [macro for macro in missing if macro.startswith(("BPF_FUNC_loop=", "BPF_FUNC_strncmp="))]


def test_a_helper_is_not_taken_for_one_whose_name_begins_with_its_own() -> None:
    assert "BPF_FUNC_dynptr_read=201" in missing_helpers("BPF_FUNC_dynptr_read_all")
