/* Golden vectors in C: reads the safetensors files that "nerva vectors" writes. This header is all; it needs C99 and a little-endian machine.
 *
 *     gv_file file;
 *     if (gv_open(&file, "golden/float64.safetensors") != 0) return 1;
 *     gv_matrix X;
 *     if (gv_get(&file, "layer/Softmax/ordinary/X", &X) == 0) printf("%zu x %zu, %g\n", X.rows, X.columns, gv_at(&X, 0, 0));
 *     gv_close(&file);
 *
 * Functions return 0, or -1 if a file cannot be read or has no such matrix.
 */
#ifndef GOLDEN_VECTORS_H
#define GOLDEN_VECTORS_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *header; /* JSON, with a 0 at its end */
    unsigned char *data;
    size_t size; /* of the data, in bytes */
} gv_file;

typedef struct {
    size_t rows, columns;
    int is_float32;
    const unsigned char *data; /* row by row */
} gv_matrix;

static inline void gv_close(gv_file *file) {
    free(file->header);
    free(file->data);
    file->header = NULL;
    file->data = NULL;
}

static inline int gv_open(gv_file *file, const char *path) {
    uint64_t length = 0;
    long end;
    FILE *stream = fopen(path, "rb");
    memset(file, 0, sizeof *file);
    if (!stream) return -1;
    if (fseek(stream, 0, SEEK_END) || (end = ftell(stream)) < 8 || fseek(stream, 0, SEEK_SET)) goto failed;
    if (fread(&length, 8, 1, stream) != 1 || length > (uint64_t)end - 8) goto failed;
    file->size = (size_t)end - 8 - (size_t)length;
    file->header = (char *)calloc((size_t)length + 1, 1);
    file->data = (unsigned char *)malloc(file->size ? file->size : 1);
    if (!file->header || !file->data) goto failed;
    if (fread(file->header, 1, (size_t)length, stream) != length || fread(file->data, 1, file->size, stream) != file->size) goto failed;
    fclose(stream);
    return 0;
failed:
    fclose(stream);
    gv_close(file);
    return -1;
}

/* The matrix of this name. */
static inline int gv_get(const gv_file *file, const char *name, gv_matrix *matrix) {
    size_t length = strlen(name), begin = 0, end = 0;
    const char *at = file->header, *shape, *offsets;
    for (;; at++) {
        at = strstr(at, name);
        if (!at) return -1;
        if (at > file->header && at[-1] == '"' && strncmp(at + length, "\":{", 3) == 0) break;
    }
    shape = strstr(at + length, "\"shape\":[");
    offsets = strstr(at + length, "\"data_offsets\":[");
    if (!shape || !offsets) return -1;
    matrix->is_float32 = strncmp(at + length, "\":{\"dtype\":\"F32\"", 16) == 0;
    if (sscanf(shape, "\"shape\":[%zu,%zu]", &matrix->rows, &matrix->columns) != 2) return -1;
    if (sscanf(offsets, "\"data_offsets\":[%zu,%zu]", &begin, &end) != 2 || begin > end || end > file->size) return -1;
    if (matrix->rows * matrix->columns * (matrix->is_float32 ? 4 : 8) != end - begin) return -1;
    matrix->data = file->data + begin;
    return 0;
}

static inline double gv_at(const gv_matrix *matrix, size_t i, size_t j) {
    size_t k = i * matrix->columns + j;
    double number;
    float single;
    if (matrix->is_float32) {
        memcpy(&single, matrix->data + 4 * k, 4);
        return single;
    }
    memcpy(&number, matrix->data + 8 * k, 8);
    return number;
}

/* The prefix of the next case of a subject such as "layer/Softmax", after *cursor, which is NULL before the first; -1 after the last. */
static inline int gv_next(const gv_file *file, const char *subject, const char **cursor, char *prefix, size_t room) {
    const char *at = *cursor ? *cursor : file->header;
    size_t length = strlen(subject);
    while ((at = strstr(at, subject)) != NULL) {
        const char *start = at, *quote = strchr(at, '"'), *slash;
        at += 1;
        if (start == file->header || start[-1] != '"' || start[length] != '/' || !quote) continue;
        for (slash = quote; slash > start && *slash != '/'; slash--) {}
        if (strncmp(slash, "/X\"", 3) != 0 || (size_t)(slash - start) >= room) continue;
        memcpy(prefix, start, (size_t)(slash - start));
        prefix[slash - start] = 0;
        *cursor = quote;
        return 0;
    }
    return -1;
}

/* The number of elements of an output that are further off than they may be; -1 if it is not there. computed is row by row. */
static inline long gv_wrong(const gv_file *file, const char *prefix, const char *output, const double *computed) {
    char name[512];
    gv_matrix expected, tolerance;
    long wrong = 0;
    if (snprintf(name, sizeof name, "%s/%s", prefix, output) >= (int)sizeof name || gv_get(file, name, &expected)) return -1;
    if (snprintf(name, sizeof name, "%s/tolerance.%s", prefix, output) >= (int)sizeof name || gv_get(file, name, &tolerance)) return -1;
    for (size_t i = 0; i < expected.rows; i++)
        for (size_t j = 0; j < expected.columns; j++)
            if (!(fabs(computed[i * expected.columns + j] - gv_at(&expected, i, j)) <= gv_at(&tolerance, i, j))) wrong++;
    return wrong;
}

#endif
