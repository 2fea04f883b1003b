-- insuree_covers
SELECT [tblInsuree].[InsureeID], [tblInsuree].[Phone], [tblFamilies].[FamilyID] AS [LiveFamilyID], head.[InsureeID] AS [HeadID], head.[CHFID], head.[OtherNames], head.[LastName], [tblPolicy].[PolicyID], [tblPolicy].[FamilyID], [tblPolicy].[ProdID], [tblPolicy].[PolicyStatus], [tblPolicy].[PolicyStage], [tblPolicy].[EnrollDate], [tblPolicy].[StartDate], [tblPolicy].[EffectiveDate], [tblPolicy].[ExpiryDate], [tblPolicy].[PolicyValue], [tblPolicy].[OfficerID], [tblPremium].[Amount]
FROM [tblInsuree] JOIN [tblFamilies] ON [tblFamilies].[FamilyID] = [tblInsuree].[FamilyID] AND [tblFamilies].[ValidityTo] IS NULL LEFT OUTER JOIN [tblInsuree] AS head ON head.[InsureeID] = [tblFamilies].[InsureeID] AND head.[FamilyID] = [tblFamilies].[FamilyID] AND head.[ValidityTo] IS NULL LEFT OUTER JOIN [tblPolicy] ON [tblPolicy].[FamilyID] = [tblFamilies].[FamilyID] AND [tblPolicy].[ValidityTo] IS NULL LEFT OUTER JOIN [tblPremium] ON [tblPremium].[PolicyID] = [tblPolicy].[PolicyID] AND [tblPremium].[ValidityTo] IS NULL AND [tblPremium].[isPhotoFee] = 0
WHERE [tblInsuree].[InsureeID] IN (:ids_1, :ids_2) AND [tblInsuree].[ValidityTo] IS NULL AND ([tblInsuree].[CHFID] IS NULL OR [tblInsuree].[CHFID] != :CHFID_1);
SELECT [tblInsuree].[FamilyID], [tblInsuree].[CHFID], [tblInsuree].[OtherNames], [tblInsuree].[LastName]
FROM [tblInsuree]
WHERE [tblInsuree].[FamilyID] IN (:family_ids_1) AND [tblInsuree].[ValidityTo] IS NULL AND ([tblInsuree].[CHFID] IS NULL OR [tblInsuree].[CHFID] != :CHFID_1) ORDER BY [tblInsuree].[IsHead] DESC, [tblInsuree].[InsureeID];

-- policies
SELECT [tblPolicy].[PolicyID], [tblPolicy].[FamilyID], [tblPolicy].[ProdID], [tblPolicy].[PolicyStatus], [tblPolicy].[PolicyStage], [tblPolicy].[EnrollDate], [tblPolicy].[StartDate], [tblPolicy].[EffectiveDate], [tblPolicy].[ExpiryDate], [tblPolicy].[PolicyValue], [tblPolicy].[OfficerID], [tblPremium].[Amount]
FROM [tblPolicy] LEFT OUTER JOIN [tblPremium] ON [tblPremium].[PolicyID] = [tblPolicy].[PolicyID] AND [tblPremium].[ValidityTo] IS NULL AND [tblPremium].[isPhotoFee] = 0
WHERE [tblPolicy].[FamilyID] IN (:ids_1) AND [tblPolicy].[ValidityTo] IS NULL;

-- policies_by_id
SELECT [tblPolicy].[PolicyID], [tblPolicy].[FamilyID], [tblPolicy].[ProdID], [tblPolicy].[PolicyStatus], [tblPolicy].[PolicyStage], [tblPolicy].[EnrollDate], [tblPolicy].[StartDate], [tblPolicy].[EffectiveDate], [tblPolicy].[ExpiryDate], [tblPolicy].[PolicyValue], [tblPolicy].[OfficerID], [tblPremium].[Amount]
FROM [tblPolicy] LEFT OUTER JOIN [tblPremium] ON [tblPremium].[PolicyID] = [tblPolicy].[PolicyID] AND [tblPremium].[ValidityTo] IS NULL AND [tblPremium].[isPhotoFee] = 0
WHERE [tblPolicy].[PolicyID] IN (:ids_1, :ids_2) AND [tblPolicy].[ValidityTo] IS NULL;

-- policies_of
SELECT [tblPolicy].[PolicyID], [tblPolicy].[FamilyID], [tblPolicy].[ProdID], [tblPolicy].[PolicyStatus], [tblPolicy].[PolicyStage], [tblPolicy].[EnrollDate], [tblPolicy].[StartDate], [tblPolicy].[EffectiveDate], [tblPolicy].[ExpiryDate], [tblPolicy].[PolicyValue], [tblPolicy].[OfficerID], [tblPremium].[Amount]
FROM [tblPolicy] LEFT OUTER JOIN [tblPremium] ON [tblPremium].[PolicyID] = [tblPolicy].[PolicyID] AND [tblPremium].[ValidityTo] IS NULL AND [tblPremium].[isPhotoFee] = 0
WHERE [tblPolicy].[FamilyID] IN (:ids_1, :ids_2) AND [tblPolicy].[ValidityTo] IS NULL;

-- coverages
SELECT [tblInsureePolicy].[InsureeID], [tblInsureePolicy].[PolicyId], [tblInsureePolicy].[StartDate], [tblInsureePolicy].[EffectiveDate], [tblInsureePolicy].[ExpiryDate]
FROM [tblInsureePolicy] JOIN [tblPolicy] ON [tblPolicy].[PolicyID] = [tblInsureePolicy].[PolicyId] JOIN [tblInsuree] ON [tblInsuree].[InsureeID] = [tblInsureePolicy].[InsureeID]
WHERE [tblPolicy].[FamilyID] = :family_id AND [tblInsuree].[FamilyID] = [tblPolicy].[FamilyID] AND [tblPolicy].[ValidityTo] IS NULL AND [tblInsureePolicy].[ValidityTo] IS NULL AND [tblInsuree].[ValidityTo] IS NULL AND ([tblInsuree].[CHFID] IS NULL OR [tblInsuree].[CHFID] != :CHFID_1) ORDER BY [tblInsureePolicy].[PolicyId], [tblInsureePolicy].[InsureeID], [tblInsureePolicy].[InsureePolicyID];

-- receipts
SELECT [tblPremium].[Amount], [tblPremium].[Receipt], [tblPremium].[PayDate]
FROM [tblPremium] JOIN [tblPolicy] ON [tblPremium].[PolicyID] = [tblPolicy].[PolicyID] AND [tblPremium].[ValidityTo] IS NULL AND [tblPremium].[isPhotoFee] = 0
WHERE [tblPolicy].[FamilyID] = :family_id AND [tblPolicy].[ValidityTo] IS NULL ORDER BY [tblPremium].[PayDate] DESC, [tblPremium].[PremiumId] DESC
 OFFSET 0 ROWS
 FETCH FIRST :page ROWS ONLY;

-- family
SELECT [tblFamilies].[FamilyID], [tblFamilies].[InsureeID], village.[LocationId] AS [Village], ward.[LocationId] AS [Ward], district.[LocationId] AS [District], region.[LocationId] AS [Region]
FROM [tblFamilies] LEFT OUTER JOIN [tblLocations] AS village ON village.[LocationId] = [tblFamilies].[LocationId] LEFT OUTER JOIN [tblLocations] AS ward ON ward.[LocationId] = village.[ParentLocationId] LEFT OUTER JOIN [tblLocations] AS district ON district.[LocationId] = ward.[ParentLocationId] LEFT OUTER JOIN [tblLocations] AS region ON region.[LocationId] = district.[ParentLocationId]
WHERE [tblFamilies].[FamilyID] IN (:family_ids_1) AND [tblFamilies].[ValidityTo] IS NULL;
SELECT [tblInsuree].[FamilyID], [tblInsuree].[InsureeID], [tblInsuree].[CHFID], [tblInsuree].[LastName], [tblInsuree].[OtherNames], [tblInsuree].[DOB], [tblInsuree].[Relationship], [tblInsuree].[IsHead], [tblInsuree].[Phone]
FROM [tblInsuree]
WHERE [tblInsuree].[FamilyID] IN (:family_ids_1) AND [tblInsuree].[ValidityTo] IS NULL AND ([tblInsuree].[CHFID] IS NULL OR [tblInsuree].[CHFID] != :CHFID_1) ORDER BY [tblInsuree].[InsureeID];

-- families
SELECT [tblFamilies].[FamilyID], [tblFamilies].[InsureeID], village.[LocationId] AS [Village], ward.[LocationId] AS [Ward], district.[LocationId] AS [District], region.[LocationId] AS [Region]
FROM [tblFamilies] LEFT OUTER JOIN [tblLocations] AS village ON village.[LocationId] = [tblFamilies].[LocationId] LEFT OUTER JOIN [tblLocations] AS ward ON ward.[LocationId] = village.[ParentLocationId] LEFT OUTER JOIN [tblLocations] AS district ON district.[LocationId] = ward.[ParentLocationId] LEFT OUTER JOIN [tblLocations] AS region ON region.[LocationId] = district.[ParentLocationId]
WHERE [tblFamilies].[FamilyID] IN (:family_ids_1, :family_ids_2, :family_ids_3, :family_ids_4) AND [tblFamilies].[ValidityTo] IS NULL;
SELECT [tblInsuree].[FamilyID], [tblInsuree].[InsureeID], [tblInsuree].[CHFID], [tblInsuree].[LastName], [tblInsuree].[OtherNames], [tblInsuree].[DOB], [tblInsuree].[Relationship], [tblInsuree].[IsHead], [tblInsuree].[Phone]
FROM [tblInsuree]
WHERE [tblInsuree].[FamilyID] IN (:family_ids_1, :family_ids_2, :family_ids_3, :family_ids_4) AND [tblInsuree].[ValidityTo] IS NULL AND ([tblInsuree].[CHFID] IS NULL OR [tblInsuree].[CHFID] != :CHFID_1) ORDER BY [tblInsuree].[InsureeID];

-- family_of
SELECT TOP 1 [tblFamilies].[FamilyID]
FROM [tblInsuree] JOIN [tblFamilies] ON [tblFamilies].[FamilyID] = [tblInsuree].[FamilyID]
WHERE [tblInsuree].[ValidityTo] IS NULL AND ([tblInsuree].[CHFID] IS NULL OR [tblInsuree].[CHFID] != :CHFID_1) AND [tblInsuree].[CHFID] = :chfid AND [tblFamilies].[ValidityTo] IS NULL ORDER BY CASE WHEN ([tblFamilies].[InsureeID] = [tblInsuree].[InsureeID]) THEN :param_2 ELSE :param_3 END, [tblInsuree].[InsureeID];
SELECT [tblFamilies].[FamilyID], [tblFamilies].[InsureeID], village.[LocationId] AS [Village], ward.[LocationId] AS [Ward], district.[LocationId] AS [District], region.[LocationId] AS [Region]
FROM [tblFamilies] LEFT OUTER JOIN [tblLocations] AS village ON village.[LocationId] = [tblFamilies].[LocationId] LEFT OUTER JOIN [tblLocations] AS ward ON ward.[LocationId] = village.[ParentLocationId] LEFT OUTER JOIN [tblLocations] AS district ON district.[LocationId] = ward.[ParentLocationId] LEFT OUTER JOIN [tblLocations] AS region ON region.[LocationId] = district.[ParentLocationId]
WHERE [tblFamilies].[FamilyID] IN (:family_ids_1) AND [tblFamilies].[ValidityTo] IS NULL;
SELECT [tblInsuree].[FamilyID], [tblInsuree].[InsureeID], [tblInsuree].[CHFID], [tblInsuree].[LastName], [tblInsuree].[OtherNames], [tblInsuree].[DOB], [tblInsuree].[Relationship], [tblInsuree].[IsHead], [tblInsuree].[Phone]
FROM [tblInsuree]
WHERE [tblInsuree].[FamilyID] IN (:family_ids_1) AND [tblInsuree].[ValidityTo] IS NULL AND ([tblInsuree].[CHFID] IS NULL OR [tblInsuree].[CHFID] != :CHFID_1) ORDER BY [tblInsuree].[InsureeID];

-- officer_near
SELECT TOP 1 [tblOfficer].[OfficerID]
FROM [tblOfficer]
WHERE [tblOfficer].[OfficerID] IN (SELECT [tblOfficerVillages].[OfficerId]
FROM [tblOfficerVillages]
WHERE [tblOfficerVillages].[LocationId] = :place AND [tblOfficerVillages].[ValidityTo] IS NULL) AND [tblOfficer].[ValidityTo] IS NULL AND ([tblOfficer].[WorksTo] IS NULL OR [tblOfficer].[WorksTo] >= :now) ORDER BY [tblOfficer].[OfficerID];
SELECT TOP 1 [tblOfficer].[OfficerID]
FROM [tblOfficer]
WHERE [tblOfficer].[LocationId] = :place AND [tblOfficer].[ValidityTo] IS NULL AND ([tblOfficer].[WorksTo] IS NULL OR [tblOfficer].[WorksTo] >= :now) ORDER BY [tblOfficer].[OfficerID];

-- lock_family
SELECT [tblFamilies].[FamilyID]
FROM [tblFamilies] WITH (UPDLOCK, ROWLOCK)
WHERE [tblFamilies].[FamilyID] IN (:family_ids_1) AND [tblFamilies].[ValidityTo] IS NULL ORDER BY [tblFamilies].[FamilyID];

-- lock_families
SELECT [tblFamilies].[FamilyID]
FROM [tblFamilies] WITH (UPDLOCK, ROWLOCK)
WHERE [tblFamilies].[FamilyID] IN (:family_ids_1, :family_ids_2, :family_ids_3, :family_ids_4) AND [tblFamilies].[ValidityTo] IS NULL ORDER BY [tblFamilies].[FamilyID];

-- products
SELECT [tblProduct].[ProdID], [tblProduct].[ProdUUID], [tblProduct].[ProductCode], [tblProduct].[ProductName], [tblProduct].[LocationId], [tblProduct].[InsurancePeriod], [tblProduct].[DateFrom], [tblProduct].[DateTo], [tblProduct].[ConversionProdID], [tblProduct].[LumpSum], [tblProduct].[MemberCount], [tblProduct].[PremiumAdult], [tblProduct].[PremiumChild], [tblProduct].[Threshold], [tblProduct].[RegistrationLumpSum], [tblProduct].[RegistrationFee], [tblProduct].[GeneralAssemblyLumpSum], [tblProduct].[GeneralAssemblyFee], [tblProduct].[AccCodePremiums], [tblProduct].[AdministrationPeriod], [tblProduct].[GracePeriod], [tblProduct].[GracePeriodRenewal], [tblProduct].[MaxInstallments], [tblProduct].[StartCycle1], [tblProduct].[StartCycle2], [tblProduct].[StartCycle3], [tblProduct].[StartCycle4], [tblProduct].[EnrolmentDiscountPerc], [tblProduct].[EnrolmentDiscountPeriod], [tblProduct].[RenewalDiscountPerc], [tblProduct].[RenewalDiscountPeriod], [tblProduct].[AuditUserID], [tblProduct].[ValidityFrom], [tblProduct].[ValidityTo], [tblProduct].[LegacyID]
FROM [tblProduct]
WHERE [tblProduct].[ValidityTo] IS NULL ORDER BY [tblProduct].[ProdID];

-- activation_option
SELECT TOP 1 [tblIMISDefaults].[ActivationOption]
FROM [tblIMISDefaults];

-- receipt_is_used
SELECT DISTINCT [tblPolicy].[ProdID], [tblPremium].[Receipt]
FROM [tblPremium] JOIN [tblPolicy] ON [tblPolicy].[PolicyID] = [tblPremium].[PolicyID]
WHERE [tblPremium].[Receipt] IN (:receipts_1) AND [tblPremium].[ValidityTo] IS NULL AND [tblPolicy].[ProdID] IN (:product_ids_1);

-- receipts_used
SELECT DISTINCT [tblPolicy].[ProdID], [tblPremium].[Receipt]
FROM [tblPremium] JOIN [tblPolicy] ON [tblPolicy].[PolicyID] = [tblPremium].[PolicyID]
WHERE [tblPremium].[Receipt] IN (:receipts_1, :receipts_2) AND [tblPremium].[ValidityTo] IS NULL AND [tblPolicy].[ProdID] IN (:product_ids_1);
SELECT DISTINCT [tblPolicy].[ProdID], [tblPremium].[Receipt]
FROM [tblPremium] JOIN [tblPolicy] ON [tblPolicy].[PolicyID] = [tblPremium].[PolicyID]
WHERE [tblPremium].[Receipt] IN (:receipts_1, :receipts_2, :receipts_3, :receipts_4) AND [tblPremium].[ValidityTo] IS NULL AND [tblPolicy].[ProdID] IN (:product_ids_1, :product_ids_2);

-- add_policy
INSERT INTO [tblPolicy] ([PolicyUUID], [FamilyID], [ProdID], [OfficerID], [PolicyStage], [PolicyStatus], [PolicyValue], [EnrollDate], [StartDate], [ExpiryDate], [isOffline], [AuditUserID], [ValidityFrom]) OUTPUT inserted.[PolicyID] VALUES (:PolicyUUID, :FamilyID, :ProdID, :OfficerID, :PolicyStage, :PolicyStatus, :PolicyValue, :EnrollDate, :StartDate, :ExpiryDate, :isOffline, :AuditUserID, :ValidityFrom);
INSERT INTO [tblInsureePolicy] ([InsureeID], [PolicyId], [EnrollmentDate], [StartDate], [ExpiryDate], [isOffline], [AuditUserID], [ValidityFrom]) VALUES (:InsureeID, :PolicyId, :EnrollmentDate, :StartDate, :ExpiryDate, :isOffline, :AuditUserID, :ValidityFrom);

-- add_policies
INSERT INTO [tblPolicy] ([PolicyUUID], [FamilyID], [ProdID], [OfficerID], [PolicyStage], [PolicyStatus], [PolicyValue], [EnrollDate], [StartDate], [ExpiryDate], [isOffline], [AuditUserID], [ValidityFrom]) OUTPUT inserted.[PolicyID] VALUES (:PolicyUUID, :FamilyID, :ProdID, :OfficerID, :PolicyStage, :PolicyStatus, :PolicyValue, :EnrollDate, :StartDate, :ExpiryDate, :isOffline, :AuditUserID, :ValidityFrom);
INSERT INTO [tblInsureePolicy] ([InsureeID], [PolicyId], [EnrollmentDate], [StartDate], [ExpiryDate], [isOffline], [AuditUserID], [ValidityFrom]) VALUES (:InsureeID, :PolicyId, :EnrollmentDate, :StartDate, :ExpiryDate, :isOffline, :AuditUserID, :ValidityFrom);

-- add_premium
INSERT INTO [tblPremium] ([PremiumUUID], [PolicyID], [Amount], [Receipt], [PayDate], [PayType], [isPhotoFee], [isOffline], [CreatedDate], [AuditUserID], [ValidityFrom]) OUTPUT inserted.[PremiumId] VALUES (:PremiumUUID, :PolicyID, :Amount, :Receipt, :PayDate, :PayType, :isPhotoFee, :isOffline, :CreatedDate, :AuditUserID, :ValidityFrom);
INSERT INTO [tblPolicy] ([PolicyUUID], [FamilyID], [ProdID], [OfficerID], [PolicyStage], [PolicyStatus], [PolicyValue], [EnrollDate], [StartDate], [EffectiveDate], [ExpiryDate], [isOffline], [AuditUserID], [ValidityFrom], [ValidityTo], [LegacyID]) SELECT :history_uuid AS anon_1, [tblPolicy].[FamilyID], [tblPolicy].[ProdID], [tblPolicy].[OfficerID], [tblPolicy].[PolicyStage], [tblPolicy].[PolicyStatus], [tblPolicy].[PolicyValue], [tblPolicy].[EnrollDate], [tblPolicy].[StartDate], [tblPolicy].[EffectiveDate], [tblPolicy].[ExpiryDate], [tblPolicy].[isOffline], [tblPolicy].[AuditUserID], [tblPolicy].[ValidityFrom], :ended AS anon_2, [tblPolicy].[PolicyID]
FROM [tblPolicy]
WHERE [tblPolicy].[PolicyID] = :row_id;

-- add_premiums
INSERT INTO [tblPremium] ([PremiumUUID], [PolicyID], [Amount], [Receipt], [PayDate], [PayType], [isPhotoFee], [isOffline], [CreatedDate], [AuditUserID], [ValidityFrom]) OUTPUT inserted.[PremiumId] VALUES (:PremiumUUID, :PolicyID, :Amount, :Receipt, :PayDate, :PayType, :isPhotoFee, :isOffline, :CreatedDate, :AuditUserID, :ValidityFrom);
INSERT INTO [tblPolicy] ([PolicyUUID], [FamilyID], [ProdID], [OfficerID], [PolicyStage], [PolicyStatus], [PolicyValue], [EnrollDate], [StartDate], [EffectiveDate], [ExpiryDate], [isOffline], [AuditUserID], [ValidityFrom], [ValidityTo], [LegacyID]) SELECT :history_uuid AS anon_1, [tblPolicy].[FamilyID], [tblPolicy].[ProdID], [tblPolicy].[OfficerID], [tblPolicy].[PolicyStage], [tblPolicy].[PolicyStatus], [tblPolicy].[PolicyValue], [tblPolicy].[EnrollDate], [tblPolicy].[StartDate], [tblPolicy].[EffectiveDate], [tblPolicy].[ExpiryDate], [tblPolicy].[isOffline], [tblPolicy].[AuditUserID], [tblPolicy].[ValidityFrom], :ended AS anon_2, [tblPolicy].[PolicyID]
FROM [tblPolicy]
WHERE [tblPolicy].[PolicyID] = :row_id;

-- activate
UPDATE [tblPolicy] SET [PolicyStatus]=:status, [EffectiveDate]=:effective WHERE [tblPolicy].[PolicyID] = :policy_id AND [tblPolicy].[ValidityTo] IS NULL;
UPDATE [tblInsureePolicy] SET [StartDate]=(SELECT [tblPolicy].[StartDate]
FROM [tblPolicy]
WHERE [tblPolicy].[PolicyID] = :policy_id), [EffectiveDate]=:effective, [ExpiryDate]=(SELECT [tblPolicy].[ExpiryDate]
FROM [tblPolicy]
WHERE [tblPolicy].[PolicyID] = :policy_id) WHERE [tblInsureePolicy].[PolicyId] = :policy_id AND [tblInsureePolicy].[ValidityTo] IS NULL;

-- activate_all
UPDATE [tblPolicy] SET [PolicyStatus]=:status, [EffectiveDate]=:effective WHERE [tblPolicy].[PolicyID] = :policy_id AND [tblPolicy].[ValidityTo] IS NULL;
UPDATE [tblInsureePolicy] SET [StartDate]=(SELECT [tblPolicy].[StartDate]
FROM [tblPolicy]
WHERE [tblPolicy].[PolicyID] = :policy_id), [EffectiveDate]=:effective, [ExpiryDate]=(SELECT [tblPolicy].[ExpiryDate]
FROM [tblPolicy]
WHERE [tblPolicy].[PolicyID] = :policy_id) WHERE [tblInsureePolicy].[PolicyId] = :policy_id AND [tblInsureePolicy].[ValidityTo] IS NULL;

-- move_policy
UPDATE [tblPolicy] SET [StartDate]=:start, [EffectiveDate]=:start, [ExpiryDate]=:expiry WHERE [tblPolicy].[PolicyID] = :policy_id AND [tblPolicy].[ValidityTo] IS NULL;
UPDATE [tblInsureePolicy] SET [StartDate]=:start, [EffectiveDate]=:start, [ExpiryDate]=:expiry WHERE [tblInsureePolicy].[PolicyId] = :policy_id AND [tblInsureePolicy].[ValidityTo] IS NULL;

-- keep_history
INSERT INTO [tblPolicy] ([PolicyUUID], [FamilyID], [ProdID], [OfficerID], [PolicyStage], [PolicyStatus], [PolicyValue], [EnrollDate], [StartDate], [EffectiveDate], [ExpiryDate], [isOffline], [AuditUserID], [ValidityFrom], [ValidityTo], [LegacyID]) SELECT :history_uuid AS anon_1, [tblPolicy].[FamilyID], [tblPolicy].[ProdID], [tblPolicy].[OfficerID], [tblPolicy].[PolicyStage], [tblPolicy].[PolicyStatus], [tblPolicy].[PolicyValue], [tblPolicy].[EnrollDate], [tblPolicy].[StartDate], [tblPolicy].[EffectiveDate], [tblPolicy].[ExpiryDate], [tblPolicy].[isOffline], [tblPolicy].[AuditUserID], [tblPolicy].[ValidityFrom], :ended AS anon_2, [tblPolicy].[PolicyID]
FROM [tblPolicy]
WHERE [tblPolicy].[PolicyID] = :row_id;

-- close_renewal_prompts
SELECT [tblPolicyRenewals].[RenewalID]
FROM [tblPolicyRenewals]
WHERE [tblPolicyRenewals].[PolicyID] IN (:policy_ids_1) AND [tblPolicyRenewals].[ValidityTo] IS NULL ORDER BY [tblPolicyRenewals].[RenewalID];
INSERT INTO [tblPolicyRenewals] ([RenewalUUID], [RenewalPromptDate], [RenewalDate], [NewOfficerID], [PhoneNumber], [SMSStatus], [InsureeID], [PolicyID], [NewProdID], [RenewalWarnings], [ResponseStatus], [ResponseDate], [AuditCreateUser], [ValidityFrom], [ValidityTo], [LegacyID]) SELECT :history_uuid AS anon_1, [tblPolicyRenewals].[RenewalPromptDate], [tblPolicyRenewals].[RenewalDate], [tblPolicyRenewals].[NewOfficerID], [tblPolicyRenewals].[PhoneNumber], [tblPolicyRenewals].[SMSStatus], [tblPolicyRenewals].[InsureeID], [tblPolicyRenewals].[PolicyID], [tblPolicyRenewals].[NewProdID], [tblPolicyRenewals].[RenewalWarnings], [tblPolicyRenewals].[ResponseStatus], [tblPolicyRenewals].[ResponseDate], [tblPolicyRenewals].[AuditCreateUser], [tblPolicyRenewals].[ValidityFrom], :ended AS anon_2, [tblPolicyRenewals].[RenewalID]
FROM [tblPolicyRenewals]
WHERE [tblPolicyRenewals].[RenewalID] = :row_id;
UPDATE [tblPolicyRenewals] SET [ResponseStatus]=:ResponseStatus, [ResponseDate]=:ended, [ValidityFrom]=:ended, [ValidityTo]=:ended WHERE [tblPolicyRenewals].[RenewalID] = :row_id;

-- close_prompts_of
SELECT [tblPolicyRenewals].[RenewalID]
FROM [tblPolicyRenewals]
WHERE [tblPolicyRenewals].[PolicyID] IN (:policy_ids_1, :policy_ids_2) AND [tblPolicyRenewals].[ValidityTo] IS NULL ORDER BY [tblPolicyRenewals].[RenewalID];

-- open_payment
INSERT INTO [tblPayment] ([PaymentUUID], [ExpectedAmount], [OfficerCode], [PhoneNumber], [RequestDate], [PaymentStatus], [LanguageName], [TypeOfPayment], [SmsRequired], [AuditedUSerID], [ValidityFrom]) OUTPUT inserted.[PaymentID] VALUES (:PaymentUUID, :ExpectedAmount, :OfficerCode, :PhoneNumber, :RequestDate, :PaymentStatus, :LanguageName, :TypeOfPayment, :SmsRequired, :AuditedUSerID, :ValidityFrom);
INSERT INTO [tblPaymentDetails] ([PaymentID], [ProductCode], [InsuranceNumber], [PolicyStage], [ExpectedAmount], [AuditedUserId], [ValidityFrom]) OUTPUT inserted.[PaymentDetailsID] VALUES (:PaymentID, :ProductCode, :InsuranceNumber, :PolicyStage, :ExpectedAmount, :AuditedUserId, :ValidityFrom);
INSERT INTO [tblControlNumber] ([PaymentID], [RequestedDate], [RequestOrigin], [Status], [AuditedUserID], [ValidityFrom]) OUTPUT inserted.[ControlNumberID] VALUES (:PaymentID, :RequestedDate, :RequestOrigin, :Status, :AuditedUserID, :ValidityFrom);

-- hand_out_payment
UPDATE [tblPayment] SET [OfficerCode]=:OfficerCode, [PhoneNumber]=:PhoneNumber, [RequestDate]=:RequestDate, [LanguageName]=:LanguageName, [SmsRequired]=:SmsRequired WHERE [tblPayment].[PaymentID] = :payment_id;
UPDATE [tblPaymentDetails] SET [InsuranceNumber]=:chfid, [PolicyStage]=:stage WHERE [tblPaymentDetails].[PaymentID] = :payment_id AND [tblPaymentDetails].[ValidityTo] IS NULL;

-- number_given
UPDATE [tblPayment] SET [PaymentStatus]=:status WHERE [tblPayment].[PaymentID] = :payment_id AND [tblPayment].[ValidityTo] IS NULL AND ([tblPayment].[PaymentStatus] IS NULL OR [tblPayment].[PaymentStatus] < :PaymentStatus_1 OR [tblPayment].[PaymentStatus] < :status);
UPDATE [tblControlNumber] SET [ControlNumber]=coalesce([tblControlNumber].[ControlNumber], :number), [ReceivedDate]=coalesce([tblControlNumber].[ReceivedDate], :at), [ResponseOrigin]=:ResponseOrigin WHERE [tblControlNumber].[PaymentID] = :payment_id AND [tblControlNumber].[ValidityTo] IS NULL;

-- numbers_given
UPDATE [tblPayment] SET [PaymentStatus]=:status WHERE [tblPayment].[PaymentID] = :payment_id AND [tblPayment].[ValidityTo] IS NULL AND ([tblPayment].[PaymentStatus] IS NULL OR [tblPayment].[PaymentStatus] < :PaymentStatus_1 OR [tblPayment].[PaymentStatus] < :status);
UPDATE [tblControlNumber] SET [ControlNumber]=coalesce([tblControlNumber].[ControlNumber], :number), [ReceivedDate]=coalesce([tblControlNumber].[ReceivedDate], :at), [ResponseOrigin]=:ResponseOrigin WHERE [tblControlNumber].[PaymentID] = :payment_id AND [tblControlNumber].[ValidityTo] IS NULL;

-- payment_matched
UPDATE [tblPayment] SET [PaymentStatus]=:PaymentStatus, [MatchedDate]=:at WHERE [tblPayment].[PaymentID] = :payment_id AND [tblPayment].[ValidityTo] IS NULL AND [tblPayment].[PaymentStatus] = :PaymentStatus_1;

-- payment_cancelled
UPDATE [tblPayment] SET [ValidityTo]=:ended WHERE [tblPayment].[PaymentID] = :payment_id AND [tblPayment].[ValidityTo] IS NULL;
UPDATE [tblPaymentDetails] SET [ValidityTo]=:ended WHERE [tblPaymentDetails].[PaymentID] = :payment_id AND [tblPaymentDetails].[ValidityTo] IS NULL;

-- payment_status
UPDATE [tblPayment] SET [PaymentStatus]=:status WHERE [tblPayment].[PaymentID] = :payment_id AND [tblPayment].[ValidityTo] IS NULL AND ([tblPayment].[PaymentStatus] IS NULL OR [tblPayment].[PaymentStatus] < :PaymentStatus_1 OR [tblPayment].[PaymentStatus] < :status);
UPDATE [tblPayment] SET [PaymentStatus]=:status, [RejectedReason]=:reason WHERE [tblPayment].[PaymentID] = :payment_id AND [tblPayment].[ValidityTo] IS NULL AND ([tblPayment].[PaymentStatus] IS NULL OR [tblPayment].[PaymentStatus] < :PaymentStatus_1 OR [tblPayment].[PaymentStatus] < :status);
UPDATE [tblPayment] SET [PaymentStatus]=:status, [RejectedReason]=:reason WHERE [tblPayment].[PaymentID] = :payment_id AND [tblPayment].[ValidityTo] IS NULL AND ([tblPayment].[PaymentStatus] IS NULL OR [tblPayment].[PaymentStatus] != :PaymentStatus_1);

-- payment_received
SELECT [tblPayment].[PaymentID], [tblPayment].[ReceivedAmount], [tblPayment].[PaymentStatus]
FROM [tblPayment] WITH (UPDLOCK, ROWLOCK)
WHERE [tblPayment].[PaymentID] IN (:payment_ids_1) AND [tblPayment].[ValidityTo] IS NULL ORDER BY [tblPayment].[PaymentID];
UPDATE [tblPayment] SET [ReceivedAmount]=:ReceivedAmount, [ReceivedDate]=:ReceivedDate, [PaymentStatus]=:PaymentStatus, [TransactionNo]=:TransactionNo, [PaymentOrigin]=:PaymentOrigin, [MatchedDate]=:MatchedDate, [ReceiptNo]=:ReceiptNo, [PaymentDate]=:PaymentDate, [PayerPhoneNumber]=:PayerPhoneNumber WHERE [tblPayment].[PaymentID] = :payment_id;
SELECT [tblPaymentDetails].[PaymentID], [tblPaymentDetails].[PaymentDetailsID], [tblPaymentDetails].[Amount]
FROM [tblPaymentDetails]
WHERE [tblPaymentDetails].[PaymentID] IN (:payment_ids_1) AND [tblPaymentDetails].[ValidityTo] IS NULL ORDER BY [tblPaymentDetails].[PaymentDetailsID];
UPDATE [tblPaymentDetails] SET [Amount]=:amount, [PremiumID]=:premium_id, [enrollmentDate]=(SELECT [tblPolicy].[EnrollDate]
FROM [tblPolicy] JOIN [tblPremium] ON [tblPremium].[PolicyID] = [tblPolicy].[PolicyID]
WHERE [tblPremium].[PremiumId] = :premium_id) WHERE [tblPaymentDetails].[PaymentDetailsID] = :details_id;
UPDATE [tblPayment] SET [PaymentStatus]=:PaymentStatus, [MatchedDate]=:MatchedDate, [RejectedReason]=:RejectedReason WHERE [tblPayment].[PaymentID] = :payment_id;
UPDATE [tblPaymentDetails] SET [ProductCode]=:ProductCode, [InsuranceNumber]=:InsuranceNumber, [PolicyStage]=:PolicyStage, [Amount]=:amount, [PremiumID]=:premium_id, [enrollmentDate]=(SELECT [tblPolicy].[EnrollDate]
FROM [tblPolicy] JOIN [tblPremium] ON [tblPremium].[PolicyID] = [tblPolicy].[PolicyID]
WHERE [tblPremium].[PremiumId] = :premium_id) WHERE [tblPaymentDetails].[PaymentDetailsID] = :details_id;

-- payments_received
SELECT [tblPayment].[PaymentID], [tblPayment].[ReceivedAmount], [tblPayment].[PaymentStatus]
FROM [tblPayment] WITH (UPDLOCK, ROWLOCK)
WHERE [tblPayment].[PaymentID] IN (:payment_ids_1, :payment_ids_2) AND [tblPayment].[ValidityTo] IS NULL ORDER BY [tblPayment].[PaymentID];
UPDATE [tblPayment] SET [ReceivedAmount]=:ReceivedAmount, [ReceivedDate]=:ReceivedDate, [PaymentStatus]=:PaymentStatus, [TransactionNo]=:TransactionNo, [PaymentOrigin]=:PaymentOrigin, [ReceiptNo]=:ReceiptNo, [PaymentDate]=:PaymentDate, [PayerPhoneNumber]=:PayerPhoneNumber WHERE [tblPayment].[PaymentID] = :payment_id;
SELECT [tblPaymentDetails].[PaymentID], [tblPaymentDetails].[PaymentDetailsID], [tblPaymentDetails].[Amount]
FROM [tblPaymentDetails]
WHERE [tblPaymentDetails].[PaymentID] IN (:payment_ids_1) AND [tblPaymentDetails].[ValidityTo] IS NULL ORDER BY [tblPaymentDetails].[PaymentDetailsID];
UPDATE [tblPaymentDetails] SET [Amount]=:amount, [PremiumID]=:premium_id, [enrollmentDate]=(SELECT [tblPolicy].[EnrollDate]
FROM [tblPolicy] JOIN [tblPremium] ON [tblPremium].[PolicyID] = [tblPolicy].[PolicyID]
WHERE [tblPremium].[PremiumId] = :premium_id) WHERE [tblPaymentDetails].[PaymentDetailsID] = :details_id;

-- hold_payment
INSERT INTO [tblPayment] ([PaymentUUID], [ExpectedAmount], [ReceivedAmount], [PhoneNumber], [ReceivedDate], [PaymentStatus], [TransactionNo], [PaymentOrigin], [ReceiptNo], [PaymentDate], [RejectedReason], [TypeOfPayment], [PayerPhoneNumber], [SmsRequired], [AuditedUSerID], [ValidityFrom]) OUTPUT inserted.[PaymentID] VALUES (:PaymentUUID, :ExpectedAmount, :ReceivedAmount, :PhoneNumber, :ReceivedDate, :PaymentStatus, :TransactionNo, :PaymentOrigin, :ReceiptNo, :PaymentDate, :RejectedReason, :TypeOfPayment, :PayerPhoneNumber, :SmsRequired, :AuditedUSerID, :ValidityFrom);
INSERT INTO [tblPaymentDetails] ([PaymentID], [ProductCode], [InsuranceNumber], [PolicyStage], [ExpectedAmount], [AuditedUserId], [ValidityFrom]) OUTPUT inserted.[PaymentDetailsID] VALUES (:PaymentID, :ProductCode, :InsuranceNumber, :PolicyStage, :ExpectedAmount, :AuditedUserId, :ValidityFrom);

-- legacy_bills
SELECT [tblPayment].[PaymentID], [tblControlNumber].[ControlNumber], [tblPayment].[ExpectedAmount], [tblPayment].[PaymentStatus], [tblPayment].[PhoneNumber], [tblPayment].[LanguageName], [tblPayment].[RequestDate], [tblPaymentDetails].[InsuranceNumber], [tblPaymentDetails].[ProductCode], [tblPaymentDetails].[PolicyStage]
FROM [tblControlNumber] JOIN [tblPayment] ON [tblPayment].[PaymentID] = [tblControlNumber].[PaymentID] JOIN [tblPaymentDetails] ON [tblPaymentDetails].[PaymentID] = [tblPayment].[PaymentID] AND [tblPaymentDetails].[ValidityTo] IS NULL
WHERE [tblControlNumber].[ValidityTo] IS NULL AND [tblPayment].[ValidityTo] IS NULL AND [tblControlNumber].[ControlNumber] = :number ORDER BY [tblPayment].[PaymentID];

-- open_legacy_bills
SELECT [tblPayment].[PaymentID], [tblControlNumber].[ControlNumber], [tblPayment].[ExpectedAmount], [tblPayment].[PaymentStatus], [tblPayment].[PhoneNumber], [tblPayment].[LanguageName], [tblPayment].[RequestDate], [tblPaymentDetails].[InsuranceNumber], [tblPaymentDetails].[ProductCode], [tblPaymentDetails].[PolicyStage]
FROM [tblControlNumber] JOIN [tblPayment] ON [tblPayment].[PaymentID] = [tblControlNumber].[PaymentID] JOIN [tblPaymentDetails] ON [tblPaymentDetails].[PaymentID] = [tblPayment].[PaymentID] AND [tblPaymentDetails].[ValidityTo] IS NULL
WHERE [tblControlNumber].[ValidityTo] IS NULL AND [tblPayment].[ValidityTo] IS NULL AND [tblPayment].[PaymentID] > :after AND [tblControlNumber].[ControlNumber] IS NOT NULL AND [tblControlNumber].[ControlNumber] != :ControlNumber_1 AND [tblPayment].[PaymentStatus] BETWEEN :PaymentStatus_1 AND :PaymentStatus_2 AND NOT EXISTS (SELECT [tblControlNumber].[RequestOrigin] INTERSECT SELECT :RequestOrigin_1) ORDER BY [tblPayment].[PaymentID]
 OFFSET 0 ROWS
 FETCH FIRST :page ROWS ONLY;

-- phones
SELECT [tblInsuree].[InsureeID], [tblInsuree].[FamilyID], [tblInsuree].[Phone]
FROM [tblInsuree]
WHERE [tblInsuree].[InsureeID] > :after AND [tblInsuree].[ValidityTo] IS NULL AND ([tblInsuree].[CHFID] IS NULL OR [tblInsuree].[CHFID] != :CHFID_1) AND [tblInsuree].[FamilyID] IS NOT NULL AND [tblInsuree].[Phone] IS NOT NULL AND [tblInsuree].[Phone] != :Phone_1 ORDER BY [tblInsuree].[InsureeID]
 OFFSET 0 ROWS
 FETCH FIRST :page ROWS ONLY;

-- phones_changed
SELECT trace.[InsureeID], live.[InsureeID] AS [LiveID], live.[FamilyID], live.[Phone], live.[ValidityTo], live.[CHFID]
FROM [tblInsuree] AS trace JOIN [tblInsuree] AS live ON live.[InsureeID] = coalesce(trace.[LegacyID], trace.[InsureeID])
WHERE trace.[InsureeID] > :after ORDER BY trace.[InsureeID]
 OFFSET 0 ROWS
 FETCH FIRST :page ROWS ONLY;

-- newest_insuree
SELECT max([tblInsuree].[InsureeID]) AS max_1
FROM [tblInsuree];

-- traces
SELECT [tblPolicy].[PolicyID], coalesce([tblPolicy].[LegacyID], [tblPolicy].[PolicyID]) AS coalesce_1
FROM [tblPolicy]
WHERE [tblPolicy].[PolicyID] > :after ORDER BY [tblPolicy].[PolicyID]
 OFFSET 0 ROWS
 FETCH FIRST :page ROWS ONLY;
SELECT [tblPremium].[PremiumId], [tblPremium].[PolicyID]
FROM [tblPremium]
WHERE [tblPremium].[PremiumId] > :after ORDER BY [tblPremium].[PremiumId]
 OFFSET 0 ROWS
 FETCH FIRST :page ROWS ONLY;

-- newest
SELECT max([tblPolicy].[PolicyID]) AS max_1
FROM [tblPolicy];
SELECT max([tblPremium].[PremiumId]) AS max_1
FROM [tblPremium];

-- last_premium
SELECT max([tblPremium].[PayDate]) AS max_1, max([tblPremium].[ValidityFrom]) AS max_2
FROM [tblPremium]
WHERE [tblPremium].[PolicyID] = :policy_id AND [tblPremium].[ValidityTo] IS NULL AND [tblPremium].[isPhotoFee] = 0;

-- expiring
SELECT [tblPolicy].[PolicyID]
FROM [tblPolicy]
WHERE [tblPolicy].[PolicyID] > :after AND [tblPolicy].[ValidityTo] IS NULL AND [tblPolicy].[PolicyStatus] IN (:PolicyStatus_1_1, :PolicyStatus_1_2) AND [tblPolicy].[ExpiryDate] BETWEEN :first AND :last ORDER BY [tblPolicy].[PolicyID]
 OFFSET 0 ROWS
 FETCH FIRST :page ROWS ONLY;

-- officer_phones
SELECT [tblOfficer].[OfficerID], [tblOfficer].[Phone]
FROM [tblOfficer]
WHERE [tblOfficer].[OfficerID] > :after AND [tblOfficer].[ValidityTo] IS NULL AND [tblOfficer].[Phone] IS NOT NULL AND [tblOfficer].[Phone] != :Phone_1 ORDER BY [tblOfficer].[OfficerID]
 OFFSET 0 ROWS
 FETCH FIRST :page ROWS ONLY;

-- newest_officer
SELECT max([tblOfficer].[OfficerID]) AS max_1
FROM [tblOfficer];

-- officers
SELECT [tblOfficer].[OfficerID], [tblOfficer].[Code], [tblOfficer].[OtherNames], [tblOfficer].[LastName], [tblOfficer].[Phone], [tblOfficer].[LocationId], [tblOfficer].[WorksTo] AS [LastDay]
FROM [tblOfficer]
WHERE [tblOfficer].[OfficerID] IN (:ids_1, :ids_2) AND [tblOfficer].[ValidityTo] IS NULL;

-- has_village
SELECT TOP 1 [tblOfficerVillages].[OfficerVillageId]
FROM [tblOfficerVillages]
WHERE [tblOfficerVillages].[OfficerId] = :officer AND [tblOfficerVillages].[LocationId] IN (:places_1, :places_2) AND [tblOfficerVillages].[ValidityTo] IS NULL;

-- collected
SELECT [tblProduct].[ProductCode], [tblPremium].[Amount], [tblPremium].[PayDate], coalesce([tblReporting].[CommissionRate], [tblReporting].[CammissionRate]) AS [Rate]
FROM [tblPolicy] JOIN [tblPremium] ON [tblPremium].[PolicyID] = [tblPolicy].[PolicyID] LEFT OUTER JOIN [tblProduct] ON [tblProduct].[ProdID] = [tblPolicy].[ProdID] LEFT OUTER JOIN [tblReporting] ON [tblReporting].[ReportingId] = [tblPremium].[ReportingCommissionID]
WHERE [tblPolicy].[OfficerID] = :officer AND [tblPolicy].[ValidityTo] IS NULL AND [tblPremium].[ValidityTo] IS NULL AND [tblPremium].[PayDate] BETWEEN :first AND :last AND [tblPremium].[PayType] != :PayType_1 ORDER BY [tblPremium].[PremiumId]
 OFFSET 0 ROWS
 FETCH FIRST :page ROWS ONLY;
