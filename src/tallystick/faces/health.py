"""Two answers for whoever watches the server: is it alive, and can it work."""

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def live(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; asks nobody else."""
    return JsonResponse({"status": "live"})


@require_safe
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers and is migrated to this version, else 503 and which is not."""
    try:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        # A broken connection is not reused: the next question opens a new one.
        connections[DEFAULT_DB_ALIAS].close()
        return JsonResponse({"status": "not ready", "database": "unreachable"}, status=503)
    if waiting:
        return JsonResponse(
            {"status": "not ready", "database": f"{len(waiting)} migrations missing"}, status=503
        )
    return JsonResponse({"status": "ready"})
