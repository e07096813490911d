import HeapModule
import Volumes

extension RegionGraph {
    /// Two regions that become one; `score` is the mean affinity over all of the face they share by then.
    public struct Merge: Sendable, Equatable {
        public var first, second: UInt32
        public var score: Double
    }

    /// Joins neighbouring regions, best first, while the mean affinity over their shared face exceeds `threshold`:
    /// region agglomeration by mean affinity, as in waterz (Funke et al. 2019). Where two regions become one, their
    /// faces to a third become one, too, with the mean over all of its pairs.
    ///
    /// - Parameter threshold: a probability. Scores never rise from a merge to the next, so the merges above a higher
    ///   threshold are the first of these.
    /// - Returns: in the order in which they happen; a region that was merged goes by the label of one of its parts.
    public func merges(above threshold: Double) -> [Merge] {
        var merging = RegionMerging(self)
        return merging.run(above: threshold)
    }
}

/// The state of an agglomeration.
private struct RegionMerging {
    private var faces: [RegionGraph.Face]
    /// Faces of each region by their place in `faces`, some of them gone.
    private var facesOf: [UInt32: [Int]] = [:]
    /// The face between two regions.
    private var faceBetween: [Pair: Int] = [:]
    private var queue: Heap<Candidate>

    init(_ graph: RegionGraph) {
        faces = graph.faces
        queue = Heap(graph.faces.enumerated().map { Candidate(score: $1.meanAffinity, face: $0, pairs: $1.pairs) })
        for (place, face) in faces.enumerated() {
            facesOf[face.first, default: []].append(place)
            facesOf[face.second, default: []].append(place)
            faceBetween[Pair(face.first, face.second)] = place
        }
    }

    mutating func run(above threshold: Double) -> [RegionGraph.Merge] {
        var merges: [RegionGraph.Merge] = []
        while let best = queue.popMax(), best.score > threshold {
            let face = faces[best.face]
            // Since then the face has become part of another, or grown.
            if face.pairs != best.pairs { continue }
            merges.append(RegionGraph.Merge(first: face.first, second: face.second, score: best.score))
            faces[best.face].pairs = 0
            faceBetween[Pair(face.first, face.second)] = nil
            let isFirstSmaller = facesOf[face.first]?.count ?? 0 < facesOf[face.second]?.count ?? 0
            if isFirstSmaller { join(face.first, into: face.second) } else { join(face.second, into: face.first) }
        }
        return merges
    }

    /// Gives the faces of `gone` to `kept`.
    private mutating func join(_ gone: UInt32, into kept: UInt32) {
        let handed = facesOf.removeValue(forKey: gone) ?? []
        for place in handed where faces[place].pairs > 0 {
            let face = faces[place]
            let other = face.first == gone ? face.second : face.first
            faceBetween[Pair(gone, other)] = nil
            let pair = Pair(kept, other)
            if let known = faceBetween[pair] {
                faces[known].pairs += face.pairs
                faces[known].sum += face.sum
                faces[place].pairs = 0
                queue.insert(
                    Candidate(score: faces[known].meanAffinity, face: known, pairs: faces[known].pairs))
            } else {
                (faces[place].first, faces[place].second) = (pair.first, pair.second)
                faceBetween[pair] = place
                facesOf[kept, default: []].append(place)
            }
        }
    }
}

private struct Pair: Hashable {
    let first, second: UInt32

    init(_ one: UInt32, _ other: UInt32) { (first, second) = (min(one, other), max(one, other)) }
}

/// A face with its score when it was queued; of equals, the earlier face comes first.
private struct Candidate: Comparable {
    let score: Double
    let face: Int
    let pairs: UInt64

    static func < (one: Candidate, other: Candidate) -> Bool {
        (one.score, other.face) < (other.score, one.face)
    }
}
