"""Out: every queued result written to its destination once, whatever happens on the way."""

from fhir_app.delivery.deliver import Delivery, Settled
from fhir_app.delivery.loop import DeliveryLoop

__all__ = ["Delivery", "DeliveryLoop", "Settled"]
