# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Vectors to points on a plane, and how well they keep labels apart.

Every panel of a map, of a model's embeddings or of a baseline, goes the same way: vectors (for
cosine divided by their length), at most 50 principal components, t-SNE or UMAP of these.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

COMPONENTS = 50  # more add noise and time to t-SNE; van der Maaten and Hinton 2008 used 30
SILHOUETTE_RECORDS = 10_000  # the silhouette needs all pairwise distances


@dataclass(frozen=True)
class Panel:
    """One map of the records.

    Attributes:
        name: what the vectors are.
        points: (records, 2), fp32; the place of each record, in no unit.
        silhouette: mean silhouette of the labels among the vectors, from -1 to 1. Here and below
            None if there is one label only, or another one for each record.
        map_silhouette: the same among the points.
        adjusted_rand: adjusted Rand index of labels and k-means clusters, 1 at best, 0 by chance.
    """

    name: str
    points: np.ndarray
    silhouette: float | None = None
    map_silhouette: float | None = None
    adjusted_rand: float | None = None


@dataclass(frozen=True)
class Projection:
    """How vectors become points.

    Attributes:
        method: `tsne` or `umap`.
        size: perplexity of t-SNE, or neighbours of UMAP.
        metric: `cosine` or `euclidean`.
        seed: fixes the random numbers.
    """

    method: str
    size: float
    metric: str
    seed: int

    def make_panel(self, name: str, vectors: Any, labels: Sequence[str] | None) -> Panel:
        """Place vectors on a plane and measure how they keep the labels apart.

        Silhouettes are scikit-learn's, of the vectors in `metric` and of the points in Euclidean
        distance, both of the same random sample if more than 10,000 records have a label. The
        clusters are those of k-means (the best of 10 starts), as many as there are labels, on the
        principal components that the map is made from.

        Args:
            name: what the vectors are.
            vectors: (records, width), dense or sparse.
            labels: one for each record, empty for none; or None, to measure nothing.

        Raises:
            ValueError: all vectors are the same.
        """
        if self.metric == "cosine":
            from sklearn.preprocessing import normalize

            vectors = normalize(vectors)
        components = self._principal_components(name, vectors)
        points = self._points(components).astype(np.float32)
        if labels is None:
            return Panel(name, points)
        return Panel(name, points, *self._measure(vectors, components, points, np.array(labels)))

    def _principal_components(self, name: str, vectors: Any) -> np.ndarray:
        from scipy.sparse import issparse
        from sklearn.decomposition import PCA

        if abs(vectors.max(axis=0) - vectors.min(axis=0)).sum() == 0:
            raise ValueError(f"{name}: all records have the same vector, there is nothing to map")
        if issparse(vectors) and min(vectors.shape) <= COMPONENTS:
            vectors = vectors.toarray()
        count = min(COMPONENTS, *vectors.shape)
        solver = "arpack" if issparse(vectors) else "auto"
        components = PCA(count, svd_solver=solver, random_state=self.seed).fit_transform(vectors)
        # t-SNE begins with the first two.
        return np.pad(components, ((0, 0), (0, max(0, 2 - count))))

    def _points(self, components: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():  # UMAP tells that a fixed seed means one thread
            warnings.simplefilter("ignore")
            if self.method == "umap":
                from umap import UMAP

                # Spectral initialization, the default, fails for a handful of records.
                mapper = UMAP(
                    n_neighbors=int(self.size), init="pca", random_state=self.seed, n_jobs=1
                )
            else:
                from sklearn.manifold import TSNE

                mapper = TSNE(perplexity=self.size, init="pca", random_state=self.seed)
            return mapper.fit_transform(components)

    def _measure(
        self, vectors: Any, components: np.ndarray, points: np.ndarray, labels: np.ndarray
    ) -> tuple[float | None, float | None, float | None]:
        from sklearn.cluster import KMeans
        from sklearn.metrics import adjusted_rand_score, silhouette_score

        labelled = np.flatnonzero(labels != "")
        count = len(set(labels[labelled]))
        if not 2 <= count < len(labelled):
            return None, None, None
        sample = labelled
        if len(labelled) > SILHOUETTE_RECORDS:
            generator = np.random.default_rng(self.seed)
            sample = np.sort(generator.choice(labelled, SILHOUETTE_RECORDS, replace=False))
        silhouettes: list[float | None] = [None, None]
        if 2 <= len(set(labels[sample])) < len(sample):
            silhouettes = [
                float(silhouette_score(rows[sample], labels[sample], metric=metric))
                for rows, metric in ((vectors, self.metric), (points, "euclidean"))
            ]
        with warnings.catch_warnings():  # fewer different vectors than labels
            warnings.simplefilter("ignore")
            clusters = KMeans(count, n_init=10, random_state=self.seed).fit(components[labelled])
        score = float(adjusted_rand_score(labels[labelled], clusters.labels_))
        return silhouettes[0], silhouettes[1], score
