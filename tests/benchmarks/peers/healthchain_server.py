"""A CDS Hooks service of HealthChain that reads the QuestionnaireResponse of a prefetch with fhir.resources and answers
with one card: it checks no questionnaire and keeps nothing."""

import os

import uvicorn
from fastapi import Response
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import CDSRequest, CDSResponse

cds = CDSHooksService()


@cds.hook("encounter-discharge", id="intake")
def intake(request: CDSRequest) -> CDSResponse:
    response = QuestionnaireResponse.model_validate(request.prefetch["response"])
    card = {"summary": f"{len(response.item)} sections", "indicator": "info", "source": {"label": "peer"}}
    return CDSResponse(cards=[card])


app = HealthChainAPI()
app.register_service(cds, path="/cds")


@app.get("/readyz")
def ready() -> Response:
    return Response("ready")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["FHIR_APP_PORT"]), log_level="error")
