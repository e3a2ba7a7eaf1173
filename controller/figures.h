// What the parts of the controller counted, as metrics (base/metrics/catalogue.cpp says what each
// means). Called before metrics are read; one function a part.
#pragma once

#include "base/metrics/metrics.h"
#include "controller/acting/acting.h"
#include "controller/advisories/advisories.h"
#include "controller/enrollment/enrollment.h"
#include "controller/fleet/fleet.h"
#include "controller/history/history.h"
#include "controller/ingest/ingest.h"
#include "controller/models/models.h"
#include "controller/triaging/triaging.h"

namespace gitaiops::controller {

void show(const acting::Acting::Counters& counters, metrics::Registry& metrics);
void show(const advisories::Counters& counters, metrics::Registry& metrics);
void show(const fleet::Counters& counters, metrics::Registry& metrics);
void show(const history::Counters& counters, metrics::Registry& metrics);
void show(const ingest::Counters& counters, metrics::Registry& metrics);
void show(const models::Asker& asker, metrics::Registry& metrics);
void show(const triaging::Triaging::Counters& counters, metrics::Registry& metrics);
// When the controller's own certificates end.
void show(const enrollment::Keyring& keyring, metrics::Registry& metrics);

}  // namespace gitaiops::controller
