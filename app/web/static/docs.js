// Starts Swagger UI. A file of its own, because the page's Content-Security-Policy allows no script inside the page.
"use strict";

window.addEventListener("load", () => {
  const ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#calls",
    deepLinking: true,
    filter: true,
    docExpansion: "none",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    // A client secret on a shared machine must not outlive the page.
    persistAuthorization: false,
    // Left to itself, Swagger UI sends the description to a validator on another host.
    validatorUrl: null,
    // Credentials travel in the Authorization header alone.
    withCredentials: false,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  });
  ui.initOAuth({ appName: "Interdesk" });
});
