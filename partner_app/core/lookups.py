"""A lookup that Django lacks."""

from typing import Any

from django.db.models import BigIntegerField, Lookup


@BigIntegerField.register_lookup
class Among(Lookup):
    """`project_id__among=ids`: hundreds of ids as one array, not a parameter each as `in` makes.

    Pass a set: Django checks each element of a list. The array is written out here, because the
    driver would also check each element to find its type.
    """

    lookup_name = "among"

    def get_prep_lookup(self) -> str:
        return "{" + ",".join(map(int.__repr__, self.rhs)) + "}"  # refuses what is not a number

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::bigint[])", [*params, self.rhs]
