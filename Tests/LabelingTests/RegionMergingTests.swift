import Labeling
import Testing
import Volumes

/// Merges found the slow way: of all pairs of regions that touch, the best, measured anew over all voxels each time.
private func slowMerges(
    _ labels: Volume<UInt32>, _ affinities: ZYX<Volume<Int16>?>, above threshold: Double
) throws -> (labels: Volume<UInt32>, scores: [Double]) {
    var labels = labels
    var scores: [Double] = []
    while let best = try RegionGraph(labels: labels, affinities: affinities).faces
        .max(by: { $0.meanAffinity < $1.meanAffinity }), best.meanAffinity > threshold
    {
        scores.append(best.meanAffinity)
        labels = labels.map { $0 == best.second ? best.first : $0 }
    }
    return (labels, scores)
}

private func randomLogits(_ shape: ZYX<Int>, seed: UInt64) -> Volume<Int16> {
    var generator = SeededGenerator(state: seed)
    return Volume(
        shape: shape, voxels: (0..<shape.count).map { _ in Int16.random(in: -4000...4000, using: &generator) })
}

@Suite struct RegionMergingTests {
    @Test func `a face is every pair of neighbours, with the affinity of the later voxel`() throws {
        //  1 1 2
        //  1 3 0
        let labels = Volume<UInt32>(shape: ZYX(1, 2, 3), voxels: [1, 1, 2, 1, 3, 0])
        func logits(_ probabilities: [Double]) -> Volume<Int16> {
            Volume(
                shape: labels.shape,
                voxels: probabilities.map { LogitScale.encode(Float(Threshold(probability: $0)!.logit)) })
        }
        let affinities = ZYX<Volume<Int16>?>(
            logits([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]), logits([0.5, 0.5, 0.5, 0.1, 0.8, 0.1]),
            logits([0.1, 0.1, 0.9, 0.1, 0.4, 0.1]))
        let graph = try RegionGraph(labels: labels, affinities: affinities)
        #expect(graph.faces.map { [UInt64($0.first), UInt64($0.second), $0.pairs] } == [[1, 2, 1], [1, 3, 2]])
        #expect(abs(graph.faces[0].meanAffinity - 0.9) < 1e-3)
        #expect(abs(graph.faces[1].meanAffinity - 0.6) < 1e-3)
        #expect(graph.merges(above: 0.7).map { [$0.first, $0.second] } == [[1, 2]])
        #expect(graph.merges(above: 0.95).isEmpty)
        let merged = labels.merged(graph.merges(above: 0.7))
        #expect(merged.labels.voxels == [1, 1, 1, 1, 2, 0])
        #expect(merged.sizes == [4, 1])
        #expect(labels.merged(graph.merges(above: 0.7), minimumVoxels: 2).labels.voxels == [1, 1, 1, 1, 0, 0])
    }

    /// Regions of several voxels: labels of coarse cells, some of them 0.
    private static func regions() -> Volume<UInt32> {
        let cells = randomLabels(ZYX(3, 4, 4), upTo: 30, seed: 5)
        var labels = Volume<UInt32>(shape: ZYX(6, 7, 8))
        for z in 0..<6 {
            for y in 0..<7 { for x in 0..<8 { labels[z, y, x] = cells[z / 2, y / 2, x / 2] } }
        }
        return labels
    }

    @Test(arguments: [ZYX(1, 1, 1), ZYX(2, 3, 5), ZYX(4, 7, 8)])
    func `blocks together are the whole`(block: ZYX<Int>) throws {
        let labels = Self.regions()
        let shape = labels.shape
        let affinities = ZYX<Volume<Int16>?>(randomLogits(shape, seed: 1), nil, randomLogits(shape, seed: 3))
        let sum = RegionGraph.Sum()
        var census = LabelCensus()
        for box in Box(shape).cells(of: block).reversed() {
            let region = Box(from: box.origin.map { max(0, $0 - 1) }, to: box.end)
            sum.add(
                try RegionGraph(
                    labels: labels.cropped(to: region), affinities: affinities.map { $0?.cropped(to: region) },
                    box: box.relative(to: region.origin)))
            census.add(LabelCensus.count(labels.cropped(to: box), in: box, of: shape))
        }
        let whole = try RegionGraph(labels: labels, affinities: affinities)
        #expect(sum.graph == whole)
        let merges = whole.merges(above: 0.55)
        let (numbers, sizes) = census.numbers(after: merges, minimumVoxels: 9)
        let merged = labels.merged(merges, minimumVoxels: 9)
        #expect(labels.map { numbers[Int($0)] } == merged.labels)
        #expect(sizes == merged.sizes)
        #expect(merged.count > 2 && merged.labels.voxels.max() == UInt32(merged.count))
    }

    @Test(arguments: [0.45, 0.5, 0.6], [1, 4])
    func `merges are the best at each moment`(threshold: Double, threads: Int) throws {
        let labels = Self.regions()
        let shape = labels.shape
        let affinities = ZYX<Volume<Int16>?>(
            randomLogits(shape, seed: 1), randomLogits(shape, seed: 2), randomLogits(shape, seed: 3))
        let graph = try RegionGraph(labels: labels, affinities: affinities, threads: threads)
        let merges = graph.merges(above: threshold)
        let expected = try slowMerges(labels, affinities, above: threshold)
        #expect(merges.map(\.score) == expected.scores)
        #expect(merges.count > 3)
        #expect(zip(merges, merges.dropFirst()).allSatisfy { $0.score >= $1.score })
        #expect(labels.merged(merges).labels == expected.labels.merged([]).labels)
    }

    @Test func `a graph is written as it is read`() throws {
        let graph = RegionGraph(faces: [
            RegionGraph.Face(first: 1, second: 2, pairs: 3, sum: 70_000),
            RegionGraph.Face(first: 2, second: .max, pairs: 1 << 40, sum: 1 << 55),
        ])
        #expect(RegionGraph(csv: graph.csv()) == graph)
        #expect(RegionGraph(csv: RegionGraph(faces: []).csv()) == RegionGraph(faces: []))
        for damaged in ["", "first,second\n", String(graph.csv().dropLast()), graph.csv() + "1,2,3\n"] {
            #expect(RegionGraph(csv: damaged) == nil)
        }
    }

    @Test func `affinities of another shape are refused`() {
        let (one, two) = (ZYX(1, 1, 2), ZYX(1, 2, 2))
        #expect(throws: LabelingFault.shapesDiffer("labels", one, "affinities along y", two)) {
            try RegionGraph(
                labels: Volume(shape: one),
                affinities: ZYX<Volume<Int16>?>(nil, Volume(shape: two), Volume(shape: one)))
        }
    }
}
