import Volumes

/// An image with its annotation, as files, before there is a pipeline file that names them.
public struct AnnotatedFiles: Codable, Sendable {
    public var image: SourceLocation
    public var labels: SourceLocation
    /// Nonzero where the annotation counts.
    public var mask: SourceLocation?
    public var unlabelled: Unlabelled
    /// Wins over what the files say.
    public var voxelSize: VoxelSize?

    public init(
        image: SourceLocation, labels: SourceLocation, mask: SourceLocation? = nil, unlabelled: Unlabelled = .none,
        voxelSize: VoxelSize? = nil
    ) {
        self.image = image
        self.labels = labels
        self.mask = mask
        self.unlabelled = unlabelled
        self.voxelSize = voxelSize
    }

    var all: [SourceLocation] { [image, labels] + (mask.map { [$0] } ?? []) }

    /// Opens them, and finds where the labels lie.
    ///
    /// - Throws: `FileFault` where one cannot be read or does not fit the image, or no voxel size is known.
    func open() throws -> Opened { try Opened(self) }

    /// Files that are open and fit together.
    struct Opened {
        let image: Part
        let labels: Part
        let mask: Part?
        /// Of the image that has labels.
        let box: Box
        let voxelSize: VoxelSize
        /// Whether a file states another voxel size than was given.
        let isContradicted: Bool

        var shape: ZYX<Int> { image.reader.info.shape }

        fileprivate init(_ files: AnnotatedFiles) throws {
            image = try Part(files.image, .image)
            labels = try Part(files.labels, .labels)
            mask = try files.mask.map { try Part($0, .mask) }
            let parts = [image, labels] + (mask.map { [$0] } ?? [])
            voxelSize = try files.voxelSize ?? Opened.statedSize(parts)
            isContradicted =
                files.voxelSize != nil
                && parts.contains { part in
                    (try? part.ingest(files.voxelSize).resolvedVoxelSize(part.reader.info.voxelSize)) == nil
                }
            let frame = image.reader.info.frame
            for part in parts.dropFirst() {
                let name = "its image \(image.source.subject)"
                let problem =
                    VolumeFrame.problem(part.reader.info.frame, like: frame, of: name)
                    ?? SectionNumbers.problem(part.reader.info.sections, like: image.reader.info.sections, of: name)
                if let problem { throw FileFault(part.source.subject, problem) }
            }
            let whole = image.extent(voxelSize)
            box = try LabelPlacement.box(of: labels.extent(voxelSize), in: whole, at: nil)
            if let mask, mask.reader.info.shape != box.shape, mask.reader.info.shape != whole.shape {
                throw FileFault(
                    mask.source.subject,
                    "has shape \(mask.reader.info.shape), but its labels have \(box.shape) and its image "
                        + "\(whole.shape)")
            }
        }

        /// That of the image, which what goes with it must not contradict.
        private static func statedSize(_ parts: [Part]) throws -> VoxelSize {
            let image = parts[0]
            let stated = image.reader.info.voxelSize
            guard let size = stated.complete else {
                let found = stated.missingAxes.count == 3 ? "" : " (it states \(stated))"
                throw FileFault(
                    image.source.subject,
                    "the file does not state the voxel size along "
                        + "\(stated.missingAxes.joined(separator: ", "))\(found); "
                        + "give it in nanometres, for example --voxel-size 40,8,8")
            }
            for part in parts.dropFirst() {
                guard let own = part.reader.info.voxelSize.complete,
                    !own.agrees(with: size, tolerance: VoxelSizeRule.tolerance)
                else { continue }
                throw FileFault(
                    part.source.subject,
                    "has voxels of \(own), but its image \(image.source.subject) has \(size); correct one, or "
                        + "give the size that holds for both, for example --voxel-size 40,8,8")
            }
            return size
        }

        /// A box of the image as places in the mask, which has the extent of the labels or of the image.
        func boxOfMask(_ part: Box) -> Box {
            mask?.reader.info.shape == box.shape ? part.relative(to: box.origin) : part
        }
    }

    /// One file.
    struct Part {
        let source: SourceLocation
        let role: Ingest.Role
        let reader: any VolumeReader

        fileprivate init(_ source: SourceLocation, _ role: Ingest.Role) throws {
            self.source = source
            self.role = role
            do {
                reader = try Ingest(source: source, role: role, voxelSize: nil).open()
            } catch let fault as FileFault {
                let several = try? source.openFirst().info
                guard let several, several.channels > 1 || several.times > 1 else { throw fault }
                throw FileFault(
                    source.subject,
                    "has \(several.channels) channels and \(several.times) time points; take one out first: "
                        + "segment convert \(source.title) ONE.h5 --channel 0 --time 0")
            }
            try ingest().check(reader.info.elementType)
        }

        func ingest(_ size: VoxelSize? = nil) -> Ingest {
            Ingest(
                source: source, role: role, voxelSize: size.map { VoxelSizeSetting(size: $0, replaces: false) })
        }

        fileprivate func extent(_ size: VoxelSize) -> LabelPlacement.Extent {
            LabelPlacement.Extent(
                title: source.subject, shape: reader.info.shape, voxelSize: size, position: reader.info.position)
        }
    }
}
