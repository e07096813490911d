#include "ctorch.h"
#include <ATen/ATen.h>
int ct_version(void) { return at::ones({2}).sum().item<int>(); }
