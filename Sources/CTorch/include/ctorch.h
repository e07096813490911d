#pragma once
#ifdef __cplusplus
extern "C" {
#endif
int ct_version(void);
#ifdef __cplusplus
}
#endif
