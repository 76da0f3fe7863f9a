/* libzfs.h reaches sys/stat.h through libspl, which wants stat64() declared. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <libzfs.h>
#include <libzfs_core.h>
