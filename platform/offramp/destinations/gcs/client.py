"""The client of Google Cloud Storage: credentials, endpoint, one pool of connections."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from offramp.domain.errors import DestinationClosed

if TYPE_CHECKING:
    from offramp.destinations.gcs.place import GcsPlace

_SCOPES = ("https://www.googleapis.com/auth/devstorage.read_write",)


class GcsConnection:
    """Opens the client at the first use, and again after ``close``. Threads share it, as its sessions allow."""

    def __init__(self, destination: str, place: GcsPlace) -> None:
        self._destination = destination
        self._place = place
        self._lock = threading.Lock()
        self._client: Any = None

    def client(self) -> Any:
        """Return the client. Raises DestinationClosed for credentials that cannot be used."""
        with self._lock:
            if self._client is None:
                self._client = _client(self._destination, self._place)
                # For traces, the library asks for the bucket itself from a thread of its own, with retries: a right
                # that deliveries do not need, and each denial stands in the log of the bucket's owner.
                self._client._bucket_metadata_cache = None  # noqa: SLF001
            return self._client

    def http(self) -> Any:
        """Return the client's own session, which adds and renews tokens.

        The library shows it nowhere else; a second session would fetch tokens and hold connections of its own.
        """
        return self.client()._http  # noqa: SLF001

    def close(self) -> None:
        """Close connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None


def _client(destination: str, place: GcsPlace) -> Any:
    from google.auth.exceptions import DefaultCredentialsError  # noqa: PLC0415 - slow to import

    what = f"destination '{destination}' has no credentials for Google Cloud Storage"
    try:
        if place.service_account is None and place.endpoint_url is None:
            # Two seconds of CPU: the package brings BigQuery and pandas.
            from dagster_gcp.gcs.resources import GCSResource  # noqa: PLC0415

            return GCSResource(project=place.project).get_client()
        return _own_client(destination, place)
    except (DefaultCredentialsError, OSError) as error:
        todo = "give a service account's key, or run where application default credentials are found"
        found = f"{type(error).__name__}: {error.args[0] if error.args else ''}"
        raise DestinationClosed(what, found=found, todo=todo) from error


def _own_client(destination: str, place: GcsPlace) -> Any:
    """Build the client where GCSResource cannot: it takes a project and nothing else, no key and no endpoint."""
    from google.api_core.client_options import ClientOptions  # noqa: PLC0415
    from google.cloud import storage  # noqa: PLC0415

    credentials = _credentials(destination, place)
    if place.endpoint_url:
        # google-auth 2.62 sends each token to iamcredentials.googleapis.com too, from a thread of its own, to ask for
        # the regions of the account. Another host's token is not Google's to see, and there is no setting against it.
        credentials._is_regional_access_boundary_lookup_required = lambda: False  # noqa: SLF001
    # Without a project the library asks the machine for one, which takes seconds where it has none.
    project = place.project or getattr(credentials, "project_id", None) or "none"
    options = ClientOptions(api_endpoint=place.endpoint_url) if place.endpoint_url else None
    return storage.Client(project=project, credentials=credentials, client_options=options)


def _credentials(destination: str, place: GcsPlace) -> Any:
    if place.service_account is None:
        import google.auth  # noqa: PLC0415

        return google.auth.default(scopes=_SCOPES)[0]
    from google.oauth2 import service_account  # noqa: PLC0415

    with suppress(ValueError, TypeError, AttributeError, KeyError):
        key = json.loads(place.service_account.get_secret_value())
        kind: Any = service_account.Credentials
        return kind.from_service_account_info(key, scopes=_SCOPES)
    # Neither cause nor context: the error of a parser holds the text that it read, here the key.
    raise DestinationClosed(
        f"destination '{destination}' has a service account key that cannot be read",
        expected="the text of a JSON key: client_email, private_key, token_uri",
        todo="create a key anew with gcloud iam service-accounts keys create, and give its whole text",
    )
