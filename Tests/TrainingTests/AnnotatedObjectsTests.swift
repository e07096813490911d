import Labeling
import Testing
import Training
import Volumes

/// What of an annotation components are compared with.
@Suite struct AnnotatedObjectsTests {
    /// One object in the shape of a U, which a box cuts into its two arms, and another between them.
    private static let labels = Volume<UInt32>(
        shape: ZYX(2, 2, 5), voxels: [7, 0, 3, 0, 7, 7, 7, 7, 7, 7] + [7, 0, 3, 0, 7, 7, 7, 7, 7, 7])
    private static let arms = Box(ZYX(2, 1, 5))

    private func objects(
        mask: Volume<UInt8>? = nil, unlabelledZero: Bool = false, head: [OutputChannel] = [.foreground],
        connectivity: Connectivity = .faces
    ) throws -> [UInt32] {
        let volume = try annotated(Self.labels, mask: mask, unlabelledZero: unlabelledZero)
        return try volume.objects(in: Self.arms, of: head, connectivity: connectivity).voxels
    }

    @Test func ofCompleteAnnotationPiecesAreObjects() throws {
        #expect(try objects() == [1, 0, 2, 0, 3] + [1, 0, 2, 0, 3])
        #expect(try objects(connectivity: .corners) == [1, 0, 2, 0, 3] + [1, 0, 2, 0, 3])
        // A mask that leaves nothing of the box out.
        let mask = Volume<UInt8>(
            shape: Self.labels.shape, voxels: [1, 1, 1, 1, 1, 0, 1, 1, 1, 1] + Array(repeating: 1, count: 10))
        #expect(try objects(mask: mask) == [1, 0, 2, 0, 3] + [1, 0, 2, 0, 3])
    }

    @Test func whatIsNotAnnotatedMayJoinPieces() throws {
        #expect(try objects(unlabelledZero: true) == [7, 0, 3, 0, 7] + [7, 0, 3, 0, 7])
        #expect(
            try objects(unlabelledZero: true, head: [.label(7), .label(3)]) == [1, 0, 2, 0, 3] + [1, 0, 2, 0, 3])
        let mask = Volume<UInt8>(
            shape: Self.labels.shape, voxels: [1, 0, 1, 1, 1] + Array(repeating: 1, count: 15))
        #expect(try objects(mask: mask) == [7, 0, 3, 0, 7] + [7, 0, 3, 0, 7])
    }

    @Test func objectsOfSectionsAreOfOneSection() throws {
        #expect(try objects(connectivity: .sides) == [1, 0, 2, 0, 3] + [4, 0, 5, 0, 6])
        #expect(
            try objects(unlabelledZero: true, connectivity: .sidesAndCorners) == [1, 0, 2, 0, 3] + [4, 0, 5, 0, 6])
    }
}
