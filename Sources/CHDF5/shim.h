#pragma once
#include <hdf5.h>
#include <sys/syscall.h>
#include <unistd.h>

// libhdf5's names for types, classes and flags are macros that first initialise the library; Swift does
// not import such macros.

static inline hid_t hdf5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t hdf5_native_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t hdf5_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t hdf5_native_int16(void) { return H5T_NATIVE_INT16; }
static inline hid_t hdf5_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t hdf5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t hdf5_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t hdf5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t hdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t hdf5_native_double(void) { return H5T_NATIVE_DOUBLE; }

static inline hid_t hdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t hdf5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t hdf5_link_create(void) { return H5P_LINK_CREATE; }

static inline unsigned hdf5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned hdf5_read_write(void) { return H5F_ACC_RDWR; }
static inline unsigned hdf5_must_be_new(void) { return H5F_ACC_EXCL; }

/// What kind of link \p name of the group \p group is, and how many bytes its value has.
static inline herr_t hdf5_link(hid_t group, const char *name, H5L_type_t *type, size_t *value_size) {
    // A macro too, from 1.12 on.
    H5L_info_t info;
    herr_t status = H5Lget_info(group, name, &info, H5P_DEFAULT);
    if (status >= 0) {
        *type = info.type;
        *value_size = info.type == H5L_TYPE_HARD ? 0 : info.u.val_size;
    }
    return status;
}

static inline hid_t hdf5_default(void) { return H5P_DEFAULT; }
static inline hid_t hdf5_all(void) { return H5S_ALL; }

/// A file in memory that goes with its descriptor; -1 where the system refuses.
static inline int hdf5_memory_file(void) {
    // glibc declares memfd_create for GNU sources alone, which Swift's importer is not; 1 is MFD_CLOEXEC.
    return (int)syscall(SYS_memfd_create, "segment", 1u);
}
