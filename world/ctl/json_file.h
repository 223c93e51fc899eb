#pragma once
/* A file of JSON that a person wrote. */
#include "common/base/json.h"

/* Reads the file, or stdin for "-", up to 64 MiB. Members that are there twice are a fault. NULL:
 * `problem` says what is wrong, with the file's name and line. The caller frees with json_decref.
 */
json_t *json_file_read(const char *path, struct buf *problem);
