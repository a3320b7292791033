"""Reading a compose project: which files it has, what compose is asked, and what becomes of its answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.compose.config import (
    ComposeConfig,
    ComposeError,
    ComposeReader,
    check_known,
    clean_compose_message,
    compose_warnings,
    image_name,
    locate_project,
    named_project,
    parse_depends_on,
    running_project_name,
    text_judge,
)
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import Engine
from service_fake_docker import FakeDocker, container

MODEL = {
    "name": "backend",
    "services": {"nats": {"image": "nats:2.10"}, "bridge": {"build": {"context": "/x"}}},
}


@pytest.fixture
def docker(tmp_path: Path) -> FakeDocker:
    return FakeDocker(tmp_path / "bin")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "backend"
    folder.mkdir()
    (folder / "docker-compose.yml").write_text("services: {}\n")
    return folder


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (["docker-compose.yml"], ["docker-compose.yml"]),
        (["docker-compose.yml", "compose.yaml"], ["compose.yaml"]),
        (
            ["docker-compose.yml", "docker-compose.override.yml"],
            ["docker-compose.yml", "docker-compose.override.yml"],
        ),
        (["compose.yml", "compose.override.yaml", "other.yml"], ["compose.yml", "compose.override.yaml"]),
    ],
)
def test_default_files_are_composes_own(tmp_path: Path, present: list[str], chosen: list[str]) -> None:
    for name in present:
        (tmp_path / name).write_text("")
    project = locate_project(str(tmp_path), environment={})
    assert project.files == tuple(str(tmp_path / name) for name in chosen)


def test_files_from_the_env_file(root: Path) -> None:
    (root / "more.yml").write_text("")
    (root / ".env").write_text(
        "A=1\n COMPOSE_FILE = 'docker-compose.yml;more.yml'\nCOMPOSE_PATH_SEPARATOR=;\n"
    )
    assert locate_project(str(root), environment={}).files == (
        str(root / "docker-compose.yml"),
        str(root / "more.yml"),
    )
    by_user = locate_project(str(root), environment={"COMPOSE_FILE": "more.yml"})
    assert by_user.files == (str(root / "more.yml"),)


def test_relative_names_are_relative_to_the_project(root: Path) -> None:
    (root / "prod.env").write_text("")
    project = locate_project(str(root), ["docker-compose.yml"], ["prod.env"], "")
    assert project.env_files == (str(root / "prod.env"),)
    assert project.name is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directory": "gone"}, "project directory .*gone: expected a directory, found nothing"),
        ({"directory": "docker-compose.yml"}, "expected a directory, found a file"),
        ({"files": ["nope.yml"]}, "compose file .*nope.yml: no such file"),
        ({"env_files": ["nope.env"]}, "env file .*nope.env: no such file"),
        ({"directory": "empty"}, "no compose file in .*empty: expected one of compose.yaml"),
    ],
)
def test_what_is_missing_is_named(root: Path, options: dict[str, object], message: str) -> None:
    (root / "empty").mkdir()
    directory = str(root / str(options.pop("directory", ".")))
    with pytest.raises(ComposeError, match=message):
        locate_project(directory, environment={}, **options)  # type: ignore[arg-type]


def reader(docker: FakeDocker, root: Path, **options: object) -> ComposeReader:
    return ComposeReader(Engine(str(docker.path)), locate_project(str(root), environment={}, **options))  # type: ignore[arg-type]


def test_config_is_asked_with_all_profiles_and_everything_given(docker: FakeDocker, root: Path) -> None:
    (root / "x.env").write_text("")
    docker.answer(
        config=MODEL,
        warnings='time="t" level=warning msg="The \\"A\\" variable is not set. Defaulting"\n' * 2,
    )
    config = reader(docker, root, env_files=["x.env"], name="backend").config()
    assert list(config.services) == ["nats", "bridge"]
    assert config.unset_variables == ["A"]
    assert config.warnings == ('The "A" variable is not set. Defaulting',)
    assert docker.calls[0][0] == [
        "compose", "--project-directory", str(root), "--file", str(root / "docker-compose.yml"),
        "--env-file", str(root / "x.env"), "--project-name", "backend", "--profile", "*", "config", "--format", "json",
    ]  # fmt: skip


def test_extra_document_goes_through_stdin(docker: FakeDocker, root: Path) -> None:
    docker.answer(config_with_stdin=MODEL)
    assert reader(docker, root).config(extra={"services": {"x": {}}}).name == "backend"
    arguments, stdin = docker.calls[0]
    assert arguments[arguments.index("-") - 1] == "--file"
    assert stdin == '{"services": {"x": {}}}'


def test_hashes_with_the_dependencies_of_a_container(docker: FakeDocker, root: Path) -> None:
    docker.answer(hashes={"bridge": "h1"}, hashes_with_stdin={"bridge": "h2"})
    found = reader(docker, root)
    assert found.hashes() == {"bridge": "h1"}
    assert found.hashes({"bridge": "nats:service_healthy:true", "lonely": ""}) == {"bridge": "h2"}
    assert docker.calls[1][1] == (
        'services:\n  "bridge":\n    depends_on: !override {"nats": {"condition": "service_healthy", '
        '"restart": true, "required": true}}\n  "lonely":\n    depends_on: !reset []\n'
    )


def test_depends_on_label() -> None:
    assert parse_depends_on("") == {}
    assert list(parse_depends_on("a:service_started:false,b")) == ["a", "b"]


def test_composes_own_words_reach_the_user(docker: FakeDocker, root: Path) -> None:
    docker.answer(fail='time="t" level=fatal msg="services.a Additional property \\"imag\\" is not allowed"')
    with pytest.raises(ComposeError, match=r'^services\.a Additional property "imag" is not allowed$'):
        reader(docker, root).config()


def test_missing_docker_is_an_error_of_the_project(root: Path) -> None:
    with pytest.raises(ComposeError, match="not found: no-such-docker"):
        ComposeReader(Engine("no-such-docker"), locate_project(str(root), environment={})).config()


def test_warnings_and_messages() -> None:
    assert compose_warnings("nothing\n") == []
    assert clean_compose_message("  plain words ") == "plain words"


def test_unknown_service_lists_the_known() -> None:
    check_known(ComposeConfig(MODEL), ["nats"])
    with pytest.raises(
        ComposeError, match="service brige is not in the compose project; it has: bridge, nats"
    ):
        check_known(ComposeConfig(MODEL), ["nats", "brige"])


def test_image_names() -> None:
    assert image_name(ComposeConfig(MODEL), "nats") == "nats:2.10"
    assert image_name(ComposeConfig(MODEL), "bridge") == "backend-bridge"


def test_project_name_is_that_of_the_running_containers(docker: FakeDocker, root: Path) -> None:
    engine, project = Engine(str(docker.path)), locate_project(str(root), environment={})
    assert running_project_name(engine, project, "backend") == "backend"
    labels = {"com.docker.compose.project.working_dir": str(root)}
    docker.answer(containers=[container("prod", "nats", "i", labels=labels)])
    assert running_project_name(engine, project, "backend") == "prod"
    both = [
        container("prod", "nats", "i", labels=labels),
        container("test", "nats", "i", labels=labels, identity="t"),
    ]
    docker.answer(containers=both)
    assert running_project_name(engine, project, "test") == "test"
    with pytest.raises(ComposeError, match=r"several projects \(prod, test\), and none of them is backend"):
        running_project_name(engine, project, "backend")


def test_a_directory_is_spelled_as_its_containers_have_it(
    docker: FakeDocker, root: Path, tmp_path: Path
) -> None:
    """Another spelling of a path is another configuration to compose, and would recreate what nobody has changed."""
    link = tmp_path / "by-a-link"
    link.symlink_to(root)
    labels = {"com.docker.compose.project.working_dir": str(link)}
    docker.answer(containers=[container("prod", "nats", "i", labels=labels)])
    found = named_project(Engine(str(docker.path)), str(root), ["docker-compose.yml"], [], None)
    assert (found.name, found.directory) == ("prod", str(link))
    assert found.files == (str(link / "docker-compose.yml"),)


def test_without_containers_or_with_two_spellings_the_directory_stays(
    docker: FakeDocker, root: Path, tmp_path: Path
) -> None:
    engine = Engine(str(docker.path))
    assert named_project(engine, str(root), ["docker-compose.yml"], [], "p").directory == str(root)
    spellings = []
    for name in ("a", "b"):
        (tmp_path / name).symlink_to(root)
        labels = {"com.docker.compose.project.working_dir": str(tmp_path / name)}
        spellings.append(container("p", "nats", "i", labels=labels, identity=name))
    docker.answer(containers=spellings)
    assert named_project(engine, str(root), ["docker-compose.yml"], [], "p").directory == str(root)


def test_judge_puts_the_text_in_the_place_of_its_file(docker: FakeDocker, root: Path) -> None:
    docker.answer(config_with_stdin=MODEL)
    path = str(root / "docker-compose.yml")
    (root / "docker-compose.override.yml").write_text("")
    judge = text_judge(Engine(str(docker.path)), path)
    assert judge("services: {}\n") == MODEL
    arguments, stdin = docker.calls[0]
    files = [arguments[place + 1] for place, word in enumerate(arguments) if word == "--file"]
    assert files == ["-", str(root / "docker-compose.override.yml")]
    assert stdin == "services: {}\n"


def test_judge_of_a_file_with_a_name_of_its_own(docker: FakeDocker, root: Path) -> None:
    docker.answer(config_with_stdin=MODEL)
    (root / "own.yml").write_text("")
    text_judge(Engine(str(docker.path)), str(root / "own.yml"))("")
    files = [
        docker.calls[0][0][place + 1] for place, word in enumerate(docker.calls[0][0]) if word == "--file"
    ]
    assert files == ["-"]
