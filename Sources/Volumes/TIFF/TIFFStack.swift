import CTIFF

/// The sections of one channel at one time of a TIFF, in z order, and what the file says of them.
struct TIFFStack {
    struct Section {
        /// Which of the stack's files.
        var file: Int
        var page: TIFFPage
        /// Which of the page's own sections, where it has an ImageDepth.
        var depth: Int
    }

    struct File {
        let path: String
        let size: Int
    }

    /// The file itself first, then those that its OME-XML names.
    let files: [File]
    let sections: [Section]
    /// The first page: all sections have its size, type and samples.
    let layout: TIFFPage
    /// Which of a pixel's samples is read.
    let sample: Int
    let voxelSize: StatedVoxelSize
    let channels: Int
    let times: Int
    /// What people should know: what pages without a meaning of their own are taken as, and pages that are not read.
    let notes: [String]
    /// Other files, those of the sections among them.
    let companions: [String]

    var shape: ZYX<Int> { ZYX(sections.count, layout.shape.y, layout.shape.x) }

    /// - Throws: `FileFault` where the file is damaged, pages contradict what it says, or the selection leaves it open
    ///   which channel or time is meant.
    init(_ handle: TIFFHandle, _ selection: VolumeSelection) throws {
        let path = handle.path
        let resolution = TIFFResolution(current: handle)
        let text = handle.string(TIFFTAG_IMAGEDESCRIPTION) ?? ""
        let directories = try TIFFDirectories(handle)
        let first = directories.pages[0]
        layout = first
        let description = try TIFFDescription(text, first: first, of: handle)
        voxelSize = description.voxelSize(resolution)

        let dimensions = try description.dimensions(
            pages: directories.pages.count, samples: first.samples, file: path)
        let (channels, overflow) = dimensions.channels.multipliedReportingOverflow(by: first.samples)
        guard !overflow, let pageCount = dimensions.pages else {
            throw FileFault(path, "says it has \(dimensions.summary), more than any file holds")
        }
        self.channels = channels
        times = dimensions.times
        let guess = TIFFStack.guess(description, dimensions, samples: first.samples)
        let chosen = try selection.resolved(channels: channels, times: times, of: path, guess: guess)
        let channel = (chosen.channel ?? 0) / first.samples
        sample = (chosen.channel ?? 0) % first.samples

        var places: [(file: Int, page: TIFFPage)] = []
        var files = [File(path: path, size: handle.fileSize)]
        var companions: [String] = []
        var unread = 0
        if case .ome(let pixels) = description {
            companions = pixels.companion.map { [$0] } ?? []
            try pixels.check(first, file: path)
            let found = try pixels.places(
                dimensions, channel: channel, time: chosen.time ?? 0, samples: first.samples, file: path)
            (places, files) = try TIFFStack.pages(at: found, directories, files[0])
        } else if pageCount > directories.pages.count, description.isRunOfSections, let start = first.runStart,
            first.shape.z == 1
        {
            // ImageJ's rule: the sections follow the first one's data, whatever directories there are.
            try TIFFStack.checkRun(of: first, from: start, count: pageCount, dimensions, handle)
            places = (0..<dimensions.sections).map { z in
                let index = dimensions.page(section: z, channel: channel, time: chosen.time ?? 0)
                return (0, first.moved(to: start + index * first.byteCount))
            }
        } else {
            if let fault = directories.fault { throw fault }
            guard pageCount <= directories.pages.count else {
                throw FileFault(
                    path, "says it has \(dimensions.summary), found \(grouped(directories.pages.count)) pages")
            }
            unread = directories.pages.count - pageCount
            places = (0..<dimensions.sections).map { z in
                (0, directories.pages[dimensions.page(section: z, channel: channel, time: chosen.time ?? 0)])
            }
        }
        self.files = files
        self.companions = companions + files.dropFirst().map(\.path)
        let unreadPages =
            "only the first of the arrays it holds is read; \(grouped(unread)) of its "
            + "\(grouped(directories.pages.count)) pages belong to others"
        notes = (guess.map { [$0] } ?? []) + (unread > 0 ? [unreadPages] : [])
        sections = places.flatMap { place in
            (0..<place.page.shape.z).map { Section(file: place.file, page: place.page, depth: $0) }
        }
        for (index, place) in places.enumerated() {
            guard place.page.hasSameLayout(as: first) else {
                throw FileFault(
                    path,
                    "page \(index + 1) of \(places.count) is \(place.page.summary), page 1 is \(first.summary)")
            }
            try TIFFStack.checkExtent(of: place.page, section: index, of: places.count, files[place.file])
        }
    }

    private static func guess(
        _ description: TIFFDescription, _ dimensions: TIFFDimensions, samples: Int
    ) -> String? {
        guard case .plain = description, dimensions.sections > 1, samples > 1 else { return nil }
        return
            "its \(grouped(dimensions.sections)) pages of \(samples) samples have no names and are taken as sections of "
            + "\(samples) channels; where they are others, write it anew as OME-TIFF or as an ImageJ hyperstack"
    }

    /// The pages where an OME-XML places its sections, in this file and those beside it.
    private static func pages(
        at places: [OMEPixels.Place], _ directories: TIFFDirectories, _ own: File
    ) throws -> (pages: [(file: Int, page: TIFFPage)], files: [File]) {
        let path = own.path
        var files = [own]
        var indices: [String: Int] = [:]
        var pages: [[TIFFPage]] = [directories.pages]
        var faults = [directories.fault]
        var found: [(file: Int, page: TIFFPage)] = []
        for (z, place) in places.enumerated() {
            var file = 0
            if let name = place.file {
                if let known = indices[name] {
                    file = known
                } else {
                    let other = try besideFile(path, name)
                    guard isRegularFile(other) else {
                        throw FileFault(path, "has section \(z + 1) in \(name), which is not beside it")
                    }
                    let handle = try TIFFHandle(reading: other)
                    let read = try TIFFDirectories(handle)
                    file = files.count
                    files.append(File(path: other, size: handle.fileSize))
                    pages.append(read.pages)
                    faults.append(read.fault)
                    indices[name] = file
                }
            }
            guard place.directory < pages[file].count else {
                if let fault = faults[file] { throw fault }
                throw FileFault(
                    path,
                    "has OME-XML that places section \(z + 1) in page \(place.directory + 1)"
                        + "\(place.file.map { " of " + $0 } ?? ""), found \(grouped(pages[file].count)) pages")
            }
            found.append((file, pages[file][place.directory]))
        }
        return (found, files)
    }

    private static func checkRun(
        of page: TIFFPage, from start: Int, count: Int, _ dimensions: TIFFDimensions, _ handle: TIFFHandle
    ) throws {
        let available = max(0, handle.fileSize - start)
        let (size, overflow) = count.multipliedReportingOverflow(by: page.byteCount)
        guard !overflow, size <= available else {
            throw truncated(
                handle.path, section: available / page.byteCount, of: count, expected: page.byteCount,
                found: available % page.byteCount)
        }
    }

    /// Checks that the stored bytes of a page lie within the file.
    private static func checkExtent(
        of page: TIFFPage, section: Int, of count: Int, _ file: File
    ) throws {
        var expected = 0
        var found = 0
        for index in 0..<page.chunkCount {
            let (offset, size) = page.extent(ofChunk: index)
            guard offset > 0, size > 0 else {
                throw FileFault(
                    file.path,
                    "section \(section + 1) of \(count) has no data in "
                        + "\(page.isTiled ? "tile" : "strip") \(index + 1)")
            }
            let (sum, overflow) = expected.addingReportingOverflow(size)
            expected = overflow ? Int.max : sum
            found += min(size, max(0, file.size - offset))
        }
        if found < expected {
            throw truncated(file.path, section: section, of: count, expected: expected, found: found)
        }
    }

    private static func truncated(
        _ path: String, section: Int, of count: Int, expected: Int, found: Int
    ) -> FileFault {
        FileFault(
            path,
            "section \(section + 1) of \(count) is truncated (expected \(grouped(expected)) bytes, "
                + "found \(grouped(found)))")
    }
}
