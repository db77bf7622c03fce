/* Checks a softmax layer written in C against golden vectors.
 *
 *     nerva vectors golden Softmax
 *     cc -std=c99 -Wall -o softmax softmax.c -lm && ./softmax golden/float64.safetensors
 */
#include "golden_vectors.h"

/* Y = exp(X) divided by the sums of its rows; DX = Y times (DY minus the sum of DY times Y over the row). */
static void softmax(size_t rows, size_t columns, const gv_matrix *X, const gv_matrix *DY, double *Y, double *DX) {
    for (size_t i = 0; i < rows; i++) {
        double largest = gv_at(X, i, 0), sum = 0, dot = 0, *y = Y + i * columns;
        for (size_t j = 1; j < columns; j++) largest = fmax(largest, gv_at(X, i, j));
        for (size_t j = 0; j < columns; j++) sum += y[j] = exp(gv_at(X, i, j) - largest);
        for (size_t j = 0; j < columns; j++) dot += gv_at(DY, i, j) * (y[j] /= sum);
        for (size_t j = 0; j < columns; j++) DX[i * columns + j] = y[j] * (gv_at(DY, i, j) - dot);
    }
}

int main(int count, char **arguments) {
    gv_file file;
    gv_matrix X, DY;
    const char *cursor = NULL;
    char prefix[256], name[300];
    long cases = 0, wrong = 0;
    if (count != 2 || gv_open(&file, arguments[1])) {
        fprintf(stderr, "usage: softmax FILE.safetensors, a file that nerva vectors has written\n");
        return 2;
    }
    while (gv_next(&file, "layer/Softmax", &cursor, prefix, sizeof prefix) == 0) {
        snprintf(name, sizeof name, "%s/X", prefix);
        if (gv_get(&file, name, &X)) return 2;
        snprintf(name, sizeof name, "%s/DY", prefix);
        if (gv_get(&file, name, &DY)) return 2;
        double *Y = malloc(X.rows * X.columns * sizeof *Y), *DX = malloc(X.rows * X.columns * sizeof *DX);
        if (!Y || !DX) return 2;
        softmax(X.rows, X.columns, &X, &DY, Y, DX);
        long of_Y = gv_wrong(&file, prefix, "Y", Y), of_DX = gv_wrong(&file, prefix, "DX", DX);
        if (of_Y || of_DX) printf("%s: %ld elements of Y and %ld of DX are wrong\n", prefix, of_Y, of_DX);
        wrong += of_Y != 0 || of_DX != 0;
        cases++;
        free(Y);
        free(DX);
    }
    gv_close(&file);
    printf("%ld cases, %ld wrong\n", cases, wrong);
    return cases == 0 || wrong != 0;
}
