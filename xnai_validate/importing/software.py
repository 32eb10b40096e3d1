"""Which software an image holds, and the recipe that checks it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from xnai_validate.importing.project import Service
from xnai_validate.model.secrets.names import looks_secret


@dataclass(frozen=True, slots=True)
class Software:
    """What an image holds."""

    recipe: str
    images: str
    """A regular expression that the image's name, without registry and tag, matches at its end."""
    port: int
    scheme: str = "http"
    stores_data: bool = False
    """Whether other hosts have no business with its port."""
    passwords: tuple[str, ...] = ()
    """The variables of the image that hold its password."""
    users: tuple[str, ...] = ()
    """The variables of the image that hold its user."""
    databases: tuple[str, ...] = ()
    """The variables of the image that hold the name of its database."""
    default_user: str = "postgres"
    default_database: str | None = None
    """The database, or the virtual host, where the environment names none; None: called like the user."""
    login_hint: str = ""
    """How its recipe measures more, as a user."""
    second_ports: Mapping[int, str] = field(default_factory=dict)
    """Port -> the parameter of the recipe that takes its url."""
    is_configured: bool = False
    """Whether its configuration decides what its ports speak, such as gRPC."""


_ENDS = r"(?:^|/)(?:{})$"
_OF_CONTAINER = re.compile(r"requirepass[\s\"'=]+\$\{?(\w+)")
"""A password that the shell of the container fills in."""
KNOWN = (
    Software("postgres", r"postgres|postgresql|postgis|pgvector|timescaledb(?:-ha)?|pgvecto-rs|paradedb|alloydbomni",
             5432, "postgres", True, ("POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"),
             ("POSTGRES_USER", "POSTGRESQL_USERNAME"), ("POSTGRES_DB", "POSTGRESQL_DATABASE"),
             login_hint="with: {login: true} of its recipe logs in too (pip install 'xnai-validate[postgres]')"),
    Software("mysql", r"mysql|mysql-server|mariadb|percona(?:-server)?", 3306, "tcp", True,
             ("MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD", "MYSQL_PASSWORD", "MARIADB_PASSWORD")),
    Software("redis", r"redis(?:-stack|-stack-server)?|valkey(?:-bundle)?|keydb|dragonfly", 6379, "redis", True,
             ("REDIS_PASSWORD", "VALKEY_PASSWORD")),
    Software("rabbitmq", r"rabbitmq|rabbitmq-server|lavinmq", 5672, "amqp", True,
             ("RABBITMQ_DEFAULT_PASS", "RABBITMQ_PASSWORD"), ("RABBITMQ_DEFAULT_USER", "RABBITMQ_USERNAME"),
             ("RABBITMQ_DEFAULT_VHOST", "RABBITMQ_VHOST"), default_user="guest", default_database="/",
             login_hint="with: {queue: NAME} of its recipe logs in too (pip install 'xnai-validate[amqp]')"),
    Software("kafka", r"kafka|kafka-native|cp-kafka|cp-server|redpanda", 9092, "kafka", True,
             login_hint="with: {group: NAME} of its recipe measures its lag (pip install 'xnai-validate[kafka]')"),
    Software("nats", r"nats(?:-server)?", 4222, "tcp", True, second_ports={8222: "monitoring"}),
    Software("mongo", r"mongo|mongodb|mongodb-community-server", 27017, "tcp", True,
             ("MONGO_INITDB_ROOT_PASSWORD", "MONGODB_ROOT_PASSWORD")),
    Software("memcached", r"memcached", 11211, "tcp", True),
    Software("elasticsearch", r"elasticsearch|opensearch", 9200, "http", True,
             ("ELASTIC_PASSWORD", "OPENSEARCH_INITIAL_ADMIN_PASSWORD")),
    Software("clickhouse", r"clickhouse-server|clickhouse", 8123, "http", True, ("CLICKHOUSE_PASSWORD",)),
    Software("minio", r"minio", 9000, "http", False, ("MINIO_ROOT_PASSWORD",)),
    Software("qdrant", r"qdrant", 6333, "http", True),
    Software("weaviate", r"weaviate", 8080, "http", True),
    Software("chroma", r"chroma", 8000, "http", True),
    Software("milvus", r"milvus", 19530, "tcp", True, second_ports={9091: "metrics"}),
    Software("nginx", r"nginx|nginx-unprivileged|openresty", 80, is_configured=True),
    Software("caddy", r"caddy", 80, is_configured=True),
    Software("traefik", r"traefik", 80, is_configured=True),
    Software("haproxy", r"haproxy|haproxy-alpine", 80, is_configured=True),
    Software("prometheus", r"prometheus", 9090),
    Software("alertmanager", r"alertmanager", 9093),
    Software("grafana", r"grafana|grafana-oss|grafana-enterprise", 3000),
    Software("ollama", r"ollama", 11434),
    Software("vllm", r"vllm-openai", 8000),
    Software("llamacpp", r"llama\.cpp|llama-server", 8080),
    Software("litellm", r"litellm|litellm-database|litellm-non_root", 4000),
    Software("tei", r"text-embeddings-inference", 80),
    Software("open-webui", r"open-webui", 8080),
    Software("langfuse", r"langfuse", 3000),
    Software("chainlit", r"chainlit", 8000),
    Software("n8n", r"n8n", 5678),
    Software("consul", r"consul", 8500),
    Software("vikunja", r"vikunja", 3456),
)  # fmt: skip


def software_of(service: Service) -> Software | None:
    """The software of a service, by the name of its image; None if there is no recipe for it."""
    name = service.image_name
    return next((known for known in KNOWN if re.search(_ENDS.format(known.images), name)), None) if name else None


def account_of(service: Service, software: Software) -> tuple[str, str]:
    """User and database for a url, as the environment of a service sets them; empty for software without."""
    if not software.users:
        return "", ""
    values = {name: variable.value for name, variable in service.environment.items()}
    user = next((values[name] for name in software.users if values.get(name)), None) or software.default_user
    database = next((values[name] for name in software.databases if values.get(name)), None)
    database = database or software.default_database or user
    return quote(user, safe=""), quote(database, safe="")


@dataclass(frozen=True, slots=True)
class Password:
    """Where the password of a service is, by name; its value is not looked at."""

    variable: str
    """The environment variable from which checks take it."""
    remark: str
    """How the variable gets it, for the person who runs the checks."""


def password_of(service: Service, software: Software) -> Password | None:
    """The password of a service: in its command, a variable of its image, or a file that one names (`*_FILE`)."""
    if "requirepass" in service.command:
        names = service.command_names
        named = [name for name in names if looks_secret(name)] or (list(names) if len(names) == 1 else [])
        if named:
            return Password(named[0], f"{named[0]} of the compose file's environment")
        own = _OF_CONTAINER.search(service.command)
        if own:
            return Password(own[1], f"{own[1]} of the container's environment; export it by this name")
        return Password(software.passwords[0], "the password stands in its command as text; export it by this name")
    for key in software.passwords:
        for name in (key, f"{key}_FILE"):
            variable = service.environment.get(name)
            if variable is None or (variable.value == "" and not variable.names):
                continue
            if name.endswith("_FILE"):
                return Password(
                    key,
                    f"export it from the file or secret that {name} names ({_secret_source(service, variable.value)})",
                )
            if variable.source:
                return Password(key, f"export it from {variable.source}")
            if variable.names:
                return Password(variable.names[0], f"{variable.names[0]} of the compose file's environment")
            return Password(key, "the file has it as text; export it by this name")
    return None


def _secret_source(service: Service, path: str | None) -> str:
    """Return where a secret comes from whose file is mounted at a path."""
    secret = (path or "").rpartition("/")[2]
    return service.secrets.get(secret, path or "unknown")
