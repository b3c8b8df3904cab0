// SPDX-License-Identifier: Apache-2.0
// Rows against a graph of the kept ones (Malkov and Yashunin 2018, "Efficient and robust approximate
// nearest neighbor search using Hierarchical Navigable Small World graphs"), by hnswlib. One thread
// and a fixed seed: the same graph in every run.
#include <exception>
#include <memory>
#include <new>
#include <vector>

#include <hnswlib/hnswlib.h>

#include "semantic_search.h"

namespace {

// The nearest one of near-duplicates is easily found; what share is, is measured below.
enum { LINKS = 16, BUILD_WIDTH = 100, SEARCH_WIDTH = 100, SAMPLES = 1024 };

// The library's own inner product is compiled for the oldest processor alone, and adds in one row.
float distance(const void *a, const void *b, const void *dimension)
{
    return 1 - search_inner(static_cast<const float *>(a), static_cast<const float *>(b),
                            *static_cast<const size_t *>(dimension));
}

class Space : public hnswlib::SpaceInterface<float> {
public:
    explicit Space(size_t numbers) : dimension(numbers) {}
    size_t get_data_size() override { return dimension * sizeof(float); }
    hnswlib::DISTFUNC<float> get_dist_func() override { return distance; }
    void *get_dist_func_param() override { return &dimension; }

private:
    size_t dimension;
};

// The row's vector at unit length, as the index wants it.
void scaled(const struct rows *rows, uint32_t row, std::vector<float> &out)
{
    const float *vector = rows->vectors[row];
    for (size_t i = 0; i < rows->dimension; i++)
        out[i] = static_cast<float>(vector[i] * rows->scales[row]);
}

// The nearest kept row that the index finds, or NONE below the threshold; the similarity is the exact
// one.
uint32_t find(const hnswlib::HierarchicalNSW<float> &graph, const struct search *search,
              const std::vector<float> &place, uint32_t row, double *similarity)
{
    auto found = graph.searchKnn(place.data(), 1);
    if (found.empty())
        return SEMANTIC_NONE;
    auto twin = static_cast<uint32_t>(found.top().second);
    *similarity = rows_cosine(search->rows, row, twin);
    return *similarity >= search->threshold ? twin : SEMANTIC_NONE;
}

int walk(struct search *search, xy_job *job)
{
    const struct rows *rows = search->rows;
    Space space(rows->dimension);
    hnswlib::HierarchicalNSW<float> graph(&space, search->count, LINKS, BUILD_WIDTH);
    graph.setEf(SEARCH_WIDTH);
    std::vector<float> place(rows->dimension);
    std::vector<uint32_t> kept;
    size_t step = search->count / SAMPLES + 1;
    for (size_t i = 0; i < search->count; i++) {
        uint32_t row = search->order[i], twin = SEMANTIC_NONE;
        double similarity = 0, other;
        if (i % 64 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        scaled(rows, row, place);
        if (row >= rows->known && !kept.empty()) {
            twin = find(graph, search, place, row, &similarity);
            bool sampled = i % step == 0;
            if (sampled && search_all(rows, kept.data(), kept.size(), row, search->threshold,
                                      &other) != SEMANTIC_NONE) {
                search->tested++;
                search->missed += twin == SEMANTIC_NONE;
            }
        }
        search->twins[row] = twin;
        search->similarities[row] = similarity;
        if (twin == SEMANTIC_NONE && (search->within || row < rows->known)) {
            graph.addPoint(place.data(), row);
            kept.push_back(row);
        }
    }
    return XY_OK;
}

} // namespace

extern "C" int search_by_index(struct search *search, xy_job *job)
{
    try {
        return walk(search, job);
    } catch (const std::bad_alloc &) {
        return XY_ENOMEM;
    } catch (const std::exception &error) {
        return xy_fail(job, XY_ENOMEM, "the approximate index: %s", error.what());
    }
}
