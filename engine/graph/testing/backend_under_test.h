// The backend that the kit's suites run on.
//
// A backend's test links the suites that it wants (op_suite, fusion_suite) and
// defines this one function: the suites then hold that backend to the f64
// reference and to its own bits.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_BACKEND_UNDER_TEST_H_
#define REPRO16_ENGINE_GRAPH_TESTING_BACKEND_UNDER_TEST_H_

#include <memory>

#include "engine/graph/backend.h"

namespace repro16 {

std::unique_ptr<Backend> CreateBackendUnderTest();

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_BACKEND_UNDER_TEST_H_
