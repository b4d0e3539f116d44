"""Pages of the orders: asking for cards, those who asked, the office, the limits."""

from trainings.inventory.orders import entry_views, limit_views, office_views, order_views
from trainings.inventory.orders.blueprint import blueprint

__all__ = ["blueprint", "entry_views", "limit_views", "office_views", "order_views"]
