"""A dry run says what would be inserted, and writes nothing."""


def test_the_file_is_as_it_was(lab):
    before = (lab.folder / "compose-before.yml").read_bytes()
    assert lab.compose_file.read_bytes() == before
    assert b"bar-archiver" not in before
