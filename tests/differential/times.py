"""Times as AWS writes them."""

from __future__ import annotations

import calendar
import datetime
from email.utils import format_datetime

ELSEWHERE = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


def seconds(time: datetime.datetime) -> int | float:
    """Seconds since 1970, a whole number when it is one."""
    whole = calendar.timegm(time.utctimetuple())
    return (whole * 10**6 + time.microsecond) / 10**6 if time.microsecond else whole


def text(time: datetime.datetime, form: str) -> str:
    """In a `timestampFormat` of the models, or `iso8601 elsewhere`: in another time zone."""
    match form:
        case "iso8601":
            return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if time.microsecond else "%Y-%m-%dT%H:%M:%SZ")
        case "iso8601 elsewhere":
            return time.astimezone(ELSEWHERE).isoformat()
        case "rfc822":
            return format_datetime(time.replace(microsecond=0), usegmt=True)
        case "unixTimestamp":
            return str(seconds(time))
        case _:
            raise ValueError(f"{form} is a form of time unknown here")
