"""The words of CBV 2.0 (Core Business Vocabulary) and their three spellings.

A bare word, a `cbv:` CURIE and the full URI of one value are the same value (`provenance.md` 4).
"""

from dataclasses import dataclass

CBV = "https://ref.gs1.org/cbv/"
VOC = "https://gs1.org/voc/"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BIZ_STEPS = _words("""accepting arriving assembling collecting commissioning consigning creating_class_instance
    cycle_counting decommissioning departing destroying disassembling dispensing encoding
    entering_exiting holding inspecting installing killing loading other packing picking receiving
    removing repackaging repairing replacing reserving retail_selling sampling sensor_reporting
    shipping staging_outbound stock_taking stocking storing transporting unloading unpacking
    void_shipping""")
DISPOSITIONS = _words("""active available completeness_inferred completeness_verified conformant container_closed
    container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit
    inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement
    no_pedigree_match non_conformant non_sellable_other partially_dispensed recalled reserved
    retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable
    unknown""")
TRANSACTION_TYPES = _words("bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt")
PARTY_TYPES = frozenset({"owning_party", "possessing_party", "location"})
ERROR_REASONS = frozenset({"did_not_occur", "incorrect_data"})
COMPONENTS = _words("""altitude axial_distance azimuth easting elevation_angle height latitude longitude northing
    polar_angle spherical_radius x y z""")
MEASUREMENTS = _words("""AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area
    Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent
    DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent ElectricCurrentDensity
    ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance Irradiance
    KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux
    MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate
    MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power
    Pressure RadiantFlux RadiantIntensity Radioactivity RelativeHumidity Resistance Resistivity
    SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage
    Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber""")
ALERTS = frozenset({"ALARM_CONDITION", "ERROR_CONDITION"})

CBV_SPACES = ("urn:epcglobal:cbv", "http://ns.gs1.org/cbv/", "https://ns.gs1.org/cbv/")
VOC_SPACES = tuple(f"{scheme}://{host}gs1.org/voc/" for scheme in ("http", "https") for host in ("", "www."))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words allowed in one field, and the name spaces in which no free URI may be made."""

    name: str
    words: frozenset[str]
    prefix: str
    closed_spaces: tuple[str, ...] = CBV_SPACES

    def word(self, value: str) -> str:
        """Return the bare word for any spelling of one, a free URI unchanged."""
        for start in (f"cbv:{self.prefix}-", f"{CBV}{self.prefix}-", "gs1:", VOC):
            if value.startswith(start) and (bare := value.removeprefix(start)) in self.words:
                return bare
        return value


BIZ_STEP = Vocabulary("business step", BIZ_STEPS, "BizStep")
DISPOSITION = Vocabulary("disposition", DISPOSITIONS, "Disp")
TRANSACTION_TYPE = Vocabulary("type of business transaction", TRANSACTION_TYPES, "BTT")
PARTY_TYPE = Vocabulary("type of source or destination", PARTY_TYPES, "SDT")
ERROR_REASON = Vocabulary("reason of an error declaration", ERROR_REASONS, "ER")
COMPONENT = Vocabulary("component", COMPONENTS, "Comp")
MEASUREMENT = Vocabulary("type of measurement", MEASUREMENTS, "", VOC_SPACES)
ALERT = Vocabulary("sensor alert", ALERTS, "", VOC_SPACES)
