import Foundation
import Volumes

/// One row an object: size, place, shape, what it touches, and how far the members of the ensemble agreed on it.
///
/// A voxel's position in µm is its index times the voxel size, so the first voxel's centre is the origin, as in
/// OME-Zarr and scikit-image. Boxes are half-open: `bbox_z1` is one past the last section.
public struct ObjectTable: Sendable, Equatable {
    public struct Row: Sendable, Equatable {
        public var label: UInt64
        public var voxels: Int
        /// The mean position of the voxels, in voxels.
        public var centroid: ZYX<Double>
        public var box: Box
        /// nil where there were no votes to count.
        public var agreement: Agreement?
        /// nil where objects have no classes.
        public var classLabel: UInt32?
        /// Whether a voxel lies at a side of the volume, beyond which the object may go on.
        public var touchesBorder: Bool
        /// µm², that at the volume's border included.
        public var surfaceArea: Double
        /// Lengths in µm.
        public var axes: PrincipalAxes
        /// Objects that share a voxel's face with it.
        public var neighbours: Int
        /// The area of all such faces, in µm².
        public var contactArea: Double
        /// One an image.
        public var intensities: [Intensity]
    }

    /// The votes of the voxels of an object.
    public struct Agreement: Sendable, Equatable {
        public var mean: Double
        public var fewest: Int
        /// Voxels that not all members voted for.
        public var disputedVoxels: Int

        public init(mean: Double, fewest: Int, disputedVoxels: Int) {
            (self.mean, self.fewest, self.disputedVoxels) = (mean, fewest, disputedVoxels)
        }
    }

    /// The values of an image in an object.
    public struct Intensity: Sendable, Equatable {
        public var mean, deviation, low, high, sum: Double
    }

    /// Two objects that share faces of voxels, the lower label first.
    public struct Contact: Sendable, Equatable {
        public var first, second: UInt64
        /// Of the faces, in µm².
        public var area: Double
    }

    /// Ordered by label; labels without a voxel have no row.
    public var rows: [Row]
    public var voxelSize: VoxelSize
    /// Names of the images whose values were measured.
    public var images: [String]
    /// Ordered by their labels.
    public var contacts: [Contact]
}

extension ObjectTable {
    /// The table as CSV (RFC 4180, but lines end in a line feed), numbers to ten digits.
    ///
    /// - Parameter write: is given one line after the other.
    public func csv(_ write: (String) throws -> Void) rethrows {
        let hasClasses = rows.contains { $0.classLabel != nil }
        var columns = Self.columns
        for image in images { columns += Self.statistics.map { Self.quoted("\(image)_\($0)") } }
        if hasClasses { columns.append("class") }
        try write(columns.joined(separator: ",") + "\n")
        for row in rows {
            var fields = fields(of: row)
            for image in row.intensities {
                fields += [image.mean, image.deviation, image.low, image.high, image.sum].map(decimal)
            }
            if hasClasses { fields.append(row.classLabel.map { "\($0)" } ?? "") }
            try write(fields.joined(separator: ",") + "\n")
        }
    }

    /// The pairs of objects that touch, as CSV, one line after the other.
    public func contactsCSV(_ write: (String) throws -> Void) rethrows {
        try write("label_a,label_b,contact_area_um2\n")
        for contact in contacts { try write("\(contact.first),\(contact.second),\(decimal(contact.area))\n") }
    }

    static let columns =
        [
            "label_id", "voxels", "volume_um3",
            "centroid_z", "centroid_y", "centroid_x", "centroid_z_um", "centroid_y_um", "centroid_x_um",
            "bbox_z0", "bbox_z1", "bbox_y0", "bbox_y1", "bbox_x0", "bbox_x1",
            "bbox_z0_um", "bbox_z1_um", "bbox_y0_um", "bbox_y1_um", "bbox_x0_um", "bbox_x1_um",
            "mean_votes", "fewest_votes", "unanimous_fraction",
            "touches_border", "surface_area_um2", "neighbours", "contact_area_um2",
        ]
        + (1...3).flatMap { ["axis_\($0)_um", "axis_\($0)_z", "axis_\($0)_y", "axis_\($0)_x"] }

    private static let statistics = ["mean", "sd", "min", "max", "sum"]

    private func fields(of row: Row) -> [String] {
        let sides = voxelSize.in(.micrometer)
        let ends = [
            row.box.origin.z, row.box.end.z, row.box.origin.y, row.box.end.y, row.box.origin.x, row.box.end.x,
        ]
        let sizes = [sides.z, sides.z, sides.y, sides.y, sides.x, sides.x]
        var fields = ["\(row.label)", "\(row.voxels)", decimal(Double(row.voxels) * sides.z * sides.y * sides.x)]
        fields += row.centroid.array.map(decimal)
        fields += row.centroid.zip(sides, *).array.map(decimal)
        fields += ends.map { "\($0)" }
        fields += zip(ends, sizes).map { decimal(Double($0) * $1) }
        if let agreement = row.agreement {
            let unanimous = Double(row.voxels - agreement.disputedVoxels) / Double(row.voxels)
            fields += [decimal(agreement.mean), "\(agreement.fewest)", decimal(unanimous)]
        } else {
            fields += ["", "", ""]
        }
        fields += [
            row.touchesBorder ? "1" : "0", decimal(row.surfaceArea), "\(row.neighbours)", decimal(row.contactArea),
        ]
        for (length, direction) in zip(row.axes.lengths, row.axes.directions) {
            fields += ([length] + direction.array).map(decimal)
        }
        return fields
    }

    /// A field that may hold commas, quotes or breaks.
    private static func quoted(_ name: String) -> String {
        guard name.contains(where: { ",\"\n\r".contains($0) }) else { return name }
        return "\"" + name.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }

    /// Ten significant digits, always with a point and never in a locale's way.
    private func decimal(_ value: Double) -> String {
        guard value != 0, value.isFinite else { return value == 0 ? "0.0" : "" }
        let scale = pow(10, 9 - floor(log10(abs(value))))
        return "\((value * scale).rounded() / scale)"
    }
}
