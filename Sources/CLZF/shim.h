#pragma once
#include <liblzf/lzf.h>
