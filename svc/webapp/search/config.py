"""The settings of a search instance, each with what raising it costs."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.config import InstanceConfig, setting
from svc.webapp.migrate import DsnConfig
from svc.webapp.search.ranking import Weights

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLimits:
    """How the index is kept up with the log."""

    poll_s: float = setting(
        "PARLEY_SEARCH_POLL_S",
        default=0.2,
        minimum=0.01,
        maximum=60,
        help="seconds between two looks at the log; more is less load for MySQL, and messages are found later",
    )
    commit_s: float = setting(
        "PARLEY_SEARCH_COMMIT_S",
        default=0.5,
        minimum=0,
        maximum=60,
        help="seconds between two commits of the index; less makes more small files that have to be merged",
    )
    page_rows: int = setting(
        "PARLEY_SEARCH_PAGE_ROWS",
        default=500,
        minimum=1,
        maximum=5_000,
        help="events and messages read at once; more holds as many in memory, and keeps questions waiting longer",
    )
    overlap_s: float = setting(
        "PARLEY_SEARCH_OVERLAP_S",
        default=30.0,
        minimum=1,
        maximum=600,
        help="seconds of the log that are looked at again: what a slow transaction, or a webapp whose clock is behind, "
        "commits late. More costs a longer look every two seconds",
    )
    log_keep_s: float = setting(
        "PARLEY_WEBAPP_LOG_KEEP_S",
        default=7 * 86_400.0,
        minimum=60,
        help="seconds for which webapps keep the log; an index that was not fed for nearly as long is built anew",
    )
    retry_s: float = setting(
        "PARLEY_SEARCH_RETRY_S",
        default=3.0,
        minimum=0.01,
        maximum=600,
        help="seconds until the next try when the database does not answer, or the disk is full",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """A search instance: an index of all messages."""

    instance: InstanceConfig
    mysql: DsnConfig
    feed: FeedLimits
    weights: Weights
    directory: str = setting(
        "PARLEY_SEARCH_DIR",
        default="var/search",
        help="folder in which each instance has one of its name, with its index: about a quarter of a KB a message, "
        "twice that while one is rebuilt",
    )
    free_bytes_min: int = setting(
        "PARLEY_SEARCH_FREE_BYTES_MIN",
        default=256 * _MIB,
        minimum=0,
        help="bytes that stay free on the disk; below it nothing is added, and answers come from what is there",
    )
    mysql_connections: int = setting(
        "PARLEY_SEARCH_MYSQL_CONNECTIONS", default=2, minimum=1, maximum=100, help="connections to the channel keyspace"
    )
    threads: int = setting(
        "PARLEY_SEARCH_THREADS",
        default=2,
        minimum=1,
        maximum=64,
        help="questions answered at once; more take processors from each other",
    )
    waiting_max: int = setting(
        "PARLEY_SEARCH_WAITING_MAX",
        default=64,
        minimum=0,
        help="questions that wait for a thread; more of them are answered too late to be of use, and are refused",
    )
    drain_s: float = setting(
        "PARLEY_SEARCH_DRAIN_S",
        default=0.3,
        minimum=0,
        maximum=60,
        help="seconds between leaving Consul and refusing calls, in which webapps turn to another instance",
    )
