"""A FHIR server of fhirstarter that takes a QuestionnaireResponse: the library's check of its shape, kept in memory."""

import os
import uuid

import uvicorn
from fastapi import Response
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from fhirstarter import FHIRProvider, FHIRStarter, InteractionContext

provider = FHIRProvider()
kept = {}


@provider.create(QuestionnaireResponse)
async def create(context: InteractionContext, resource: QuestionnaireResponse) -> str:
    new_id = str(uuid.uuid4())
    kept[new_id] = resource
    return new_id


app = FHIRStarter()
app.add_providers(provider)


@app.get("/readyz")
def ready() -> Response:
    return Response("ready")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["FHIR_APP_PORT"]), log_level="error")
