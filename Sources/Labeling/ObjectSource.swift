import Volumes

/// How the logits of a network's first head become objects.
public enum ObjectSource: Sendable, Equatable {
    /// The connected regions of one channel.
    case mask
    /// Those of the graph of the nearest neighbours' affinities, whose channels are given for z, y and x; a network of
    /// sections has none along z.
    case edges(ZYX<Int?>)
    /// Those of each class, a channel a class; where several reach the threshold, the highest has the voxel.
    case classes([UInt32])

    /// - Throws: `LabelingFault.noObjects` where the channels cannot make objects.
    public init(_ head: [OutputChannel]) throws {
        let labels = head.compactMap { if case .label(let label) = $0 { label } else { nil } }
        if !labels.isEmpty, labels.count == head.count {
            self = .classes(labels)
        } else if head == [.foreground] || head == [.interior] {
            self = .mask
        } else {
            func channel(_ axis: Int) -> Int? { head.firstIndex { $0.neighbourAxis == axis } }
            self = .edges(ZYX(channel(0), channel(1), channel(2)))
            guard channel(1) != nil, channel(2) != nil else { throw LabelingFault.noObjects(of: head) }
        }
    }

    /// The objects of one head's logits, with the class of each where there are classes.
    ///
    /// - Parameter connectivity: that of a mask and of classes; edges join face neighbours, where it is within sections
    ///   those of one section.
    /// - Throws: `LabelingFault` where shapes differ or 32 bits cannot number the objects.
    public func components(
        in logits: [Volume<Int16>], threshold: Threshold, connectivity: Connectivity = .faces,
        minimumVoxels: Int = 1, threads: Int = 1
    ) throws -> ClassifiedComponents {
        let contents = try contents(of: logits, threshold, connectivity, threads: threads)
        let found = try contents.components(
            connectivity: connectivity, minimumVoxels: minimumVoxels, threads: threads)
        guard case .labels(let places) = contents else { return ClassifiedComponents(found) }
        var values = [UInt32](repeating: 0, count: found.count)
        for (label, place) in zip(found.labels.voxels, places.voxels) where label != 0 {
            values[Int(label) - 1] = place
        }
        return ClassifiedComponents(found, classes: classes(of: values))
    }

    /// The objects of one head's logits in a store, of which only some blocks are in memory at a time.
    ///
    /// - Parameters:
    ///   - logits: its channels; those of the head come first.
    ///   - progress: is told the share of blocks that are done; what it throws ends the search.
    /// - Throws: `DamagedStore` or `FileFault` where it cannot be read, `LabelingFault` where 32 bits cannot number the
    ///   pieces of objects.
    public func components(
        inBlocksOf logits: BlockStore, channels: Int, threshold: Threshold, connectivity: Connectivity = .faces,
        minimumVoxels: Int = 1, threads: Int = 1, progress: (Double) throws -> Void = { _ in }
    ) throws -> BlockComponents {
        try BlockComponents(
            shape: logits.layout.shape, block: logits.layout.shard, connectivity: connectivity,
            minimumVoxels: minimumVoxels, threads: threads, progress: progress
        ) { box in
            let channels = try (0..<channels).map { try logits.read(box, channel: $0).volume(of: Int16.self) }
            return try contents(of: channels, threshold, connectivity, threads: 1)
        }
    }

    /// The class of each object, whose labels in what it was found in are given; nil where there are no classes.
    public func classes(of values: [UInt32]?) -> [UInt32]? {
        guard case .classes(let labels) = self else { return nil }
        return values?.map { labels[Int($0) - 1] }
    }

    private func contents(
        of logits: [Volume<Int16>], _ threshold: Threshold, _ connectivity: Connectivity, threads: Int
    ) throws -> BlockContents {
        func mask(_ channel: Int) throws -> Volume<UInt8> {
            try consensus(of: [logits[channel]], rule: .all, threshold: threshold, threads: threads).mask
        }
        switch self {
        case .mask:
            return .mask(try mask(0))
        case .edges(let channels):
            let none = Volume<UInt8>(shape: logits[0].shape)
            var edges = try channels.map { try $0.map(mask) ?? none }
            if connectivity.isWithinSections { edges.z = none }
            return .edges(edges)
        case .classes:
            return .labels(try highest(of: logits, threshold))
        }
    }

    /// The place, from 1, of the highest channel that reaches the threshold; of equals the first; 0 for none.
    private func highest(of logits: [Volume<Int16>], _ threshold: Threshold) throws -> Volume<UInt32> {
        var best = [Int32](repeating: threshold.units - 1, count: logits[0].shape.count)
        var places = Volume<UInt32>(shape: logits[0].shape)
        for (place, channel) in logits.enumerated() {
            guard channel.shape == places.shape else {
                throw LabelingFault.shapesDiffer("channel 1", places.shape, "channel \(place + 1)", channel.shape)
            }
            for voxel in best.indices where Int32(channel.voxels[voxel]) > best[voxel] {
                best[voxel] = Int32(channel.voxels[voxel])
                places.voxels[voxel] = UInt32(place + 1)
            }
        }
        return places
    }
}

/// Objects, and where their labels are of classes the class of each.
public struct ClassifiedComponents: Sendable, Equatable {
    public var components: Components
    /// Of label k it is `classes[k - 1]`; nil where there are none.
    public var classes: [UInt32]?

    public var labels: Volume<UInt32> { components.labels }

    public init(_ components: Components, classes: [UInt32]? = nil) {
        self.components = components
        self.classes = classes
    }
}
