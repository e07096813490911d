import Foundation
import Volumes

extension VolumeEntry {
    /// The entry itself, or with `time: all` one for every time point that its files hold: `movie/t00`, `movie/t01` and
    /// so on.
    ///
    /// - Parameter executable: reads the headers in a process of its own; nil reads them in this one.
    /// - Throws: `FileFault` where a file cannot be opened, or they differ in time points.
    func timePoints(executable: String?) throws -> [VolumeEntry] {
        guard isEveryTime else { return [self] }
        var sources: [SourceLocation] = []
        var copy = self
        copy.changeSources { sources.append($0) }
        let counts = try sources.map { source in
            var first = source
            first.selection.time = 0
            return try VolumeDescription.read(first, values: false, executable: executable).times
        }
        let count = counts[0]
        for (source, other) in zip(sources, counts) where other != count {
            throw FileFault(source.title, "has \(other) time points, but its image \(image.title) has \(count)")
        }
        return (0..<count).map { time in
            var entry = self
            entry.isEveryTime = false
            entry.name += "/t" + paddedNumber(time, upTo: count - 1)
            entry.changeSources { $0.selection.time = time }
            return entry
        }
    }
}

/// `03` for 3 up to 10: numbers of one length, which sort as they count.
func paddedNumber(_ number: Int, upTo largest: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, "\(largest)".count - digits.count)) + digits
}
