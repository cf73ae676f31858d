"""A lookup that Django lacks."""

from typing import Any

from django.db.models import BigIntegerField, Lookup


@BigIntegerField.register_lookup
class Among(Lookup):
    """`project_id__among=ids`: hundreds of ids as one array, not a parameter each as `in` makes.

    Give it a set: Django looks into each element of a list. It is written out here, because the
    driver would look at each as well to find out what the array is of.
    """

    lookup_name = "among"

    def get_prep_lookup(self) -> str:
        return "{" + ",".join(map(int.__repr__, self.rhs)) + "}"  # refuses what is no number

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::bigint[])", [*params, self.rhs]
